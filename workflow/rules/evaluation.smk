include: "shown.smk"


rule evaluate:
    input:
        predictions=shards_of_predictions,
        features=shards_of_features,
        models=of_folds(paths.MODEL_OF_STAGE),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
        weights=of_run(paths.WEIGHTS),
    output:
        predictions=paths.PREDICTIONS,
        evaluation=table_in_report(paths.EVALUATION, "evaluation", "all", "evaluation"),
        per_class=table_in_report(paths.PER_CLASS, "per_class", "all", "per class"),
        significance=table_in_report(paths.SIGNIFICANCE, "significance", "finetuned against head", "significance"),
        calibration=paths.CALIBRATION,
        model=paths.MODEL,
        provenance=paths.PROVENANCE,
        card=paths.MODEL_CARD,
    log:
        paths.log("evaluate", "{run}"),
    benchmark:
        paths.benchmark("evaluate", "{run}")
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("evaluate.py"),
        settings=settings_of("evaluation"),
        record=settings_of("provenance"),
        benchmarks=placed(paths.BENCHMARKS),
    message:
        "Evaluating {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/evaluate.py --record {params.record:q} --settings {params.settings:q}"
        " --predictions {input.predictions} --features {input.features} --models {input.models} --manifest {input.manifest} --split {input.split}"
        " --weights {input.weights} --benchmarks {params.benchmarks} --output $(dirname {output.evaluation})"
        " 2>&1 | tee {log}"


rule compare_runs:
    input:
        provenance=of_all_runs(paths.PROVENANCE),
        evaluation=of_all_runs(paths.EVALUATION),
        predictions=of_all_runs(paths.PREDICTIONS),
        exports=exports_of_all_runs,
    output:
        comparison=report(
            paths.COMPARISON,
            caption=caption_of("comparison"),
            category="Comparison",
            labels={"what": "table: every run"},
        ),
        significance=report(
            paths.COMPARISON_SIGNIFICANCE,
            caption=caption_of("comparison_significance"),
            category="Comparison",
            labels={"what": "table: run against run"},
        ),
    log:
        paths.log("compare_runs"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("compare_runs.py"),
        settings=settings_of("comparison"),
    message:
        "Comparing all runs"
    shell:
        "python $GRAFT_SCRIPTS/compare_runs.py --provenance {input.provenance} --exports {input.exports} --settings {params.settings:q}"
        " --comparison {output.comparison} --significance {output.significance} 2>&1 | tee {log}"
