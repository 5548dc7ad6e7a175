rule evaluate:
    input:
        code=code_of("evaluate.py"),
        predictions=files_of_folds("predictions.csv"),
    output:
        pooled=report(
            "results/runs/{run}/predictions.csv",
            caption="../report/predictions.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "all", "table": "predictions"},
        ),
        evaluation=report(
            "results/runs/{run}/evaluation.csv",
            caption="../report/evaluation.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "all", "table": "evaluation"},
        ),
        per_class=report(
            "results/runs/{run}/per_class.csv",
            caption="../report/per_class.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "all", "table": "per class"},
        ),
        significance=report(
            "results/runs/{run}/significance.csv",
            caption="../report/significance.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "finetuned against head", "table": "significance"},
        ),
        calibration="results/runs/{run}/calibration.json",
    log:
        "results/logs/evaluate/{run}.log",
    benchmark:
        "results/benchmarks/evaluate/{run}.tsv"
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("evaluation"),
    message:
        "Evaluating {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions}"
        " --settings {params.settings:q} --pooled {output.pooled} --evaluation {output.evaluation}"
        " --per-class {output.per_class} --significance {output.significance}"
        " --calibration {output.calibration} 2>&1 | tee {log}"


rule record_provenance:
    input:
        code=code_of("record_provenance.py"),
        manifest=data_of_run("manifest.csv"),
        split=data_of_run("split.csv"),
        weights=weights_of_run,
        models=files_of_folds("model.keras"),
        predictions=files_of_folds("predictions.csv"),
        evaluation="results/runs/{run}/evaluation.csv",
    output:
        "results/runs/{run}/provenance.json",
    log:
        "results/logs/record_provenance/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("provenance"),
        benchmarks="results/benchmarks",
    message:
        "Recording what {wildcards.run} was made from"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --manifest {input.manifest} --split {input.split}"
        " --weights {input.weights} --models {input.models} --predictions {input.predictions}"
        " --evaluation {input.evaluation} --benchmarks {params.benchmarks} --output {output} 2>&1 | tee {log}"


rule write_model_card:
    input:
        code=code_of("write_model_card.py"),
        provenance="results/runs/{run}/provenance.json",
        evaluation="results/runs/{run}/evaluation.csv",
        per_class="results/runs/{run}/per_class.csv",
        significance="results/runs/{run}/significance.csv",
        calibration="results/runs/{run}/calibration.json",
    output:
        "results/runs/{run}/MODEL_CARD.md",
    log:
        "results/logs/write_model_card/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    message:
        "Writing the model card of {wildcards.run}"
    shell:
        "python {input.code[0]} --provenance {input.provenance} --evaluation {input.evaluation}"
        " --per-class {input.per_class} --significance {input.significance} --calibration {input.calibration}"
        " --output {output} 2>&1 | tee {log}"


rule compare_runs:
    input:
        code=code_of("compare_runs.py"),
        provenance=collect("results/runs/{run}/provenance.json", run=job.runs),
        evaluation=collect("results/runs/{run}/evaluation.csv", run=job.runs),
        predictions=collect("results/runs/{run}/predictions.csv", run=job.runs),
    output:
        comparison=report(
            "results/comparison.csv",
            caption="../report/comparison.rst",
            category="Comparison",
            labels={"what": "table: every run"},
        ),
        significance=report(
            "results/comparison_significance.csv",
            caption="../report/comparison_significance.rst",
            category="Comparison",
            labels={"what": "table: run against run"},
        ),
    log:
        "results/logs/compare_runs.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("comparison"),
    message:
        "Comparing all runs"
    shell:
        "python {input.code[0]} --provenance {input.provenance} --settings {params.settings:q}"
        " --comparison {output.comparison} --significance {output.significance} 2>&1 | tee {log}"
