rule draw_figures:
    input:
        predictions=paths.PREDICTIONS,
        histories=of_folds(paths.HISTORY),
        models=last_models_of_run,
        images=of_run(paths.IMAGES),
        pixels=of_run(paths.PIXELS),
        features=of_run(paths.FEATURES),
        manifest=of_run(paths.MANIFEST),
    output:
        figures=figures_of_run(),
        shown=figures_in_report(),
        failed=paths.FAILED_FIGURES,
    log:
        paths.log("draw_figures", "{run}"),
    benchmark:
        paths.benchmark("draw_figures", "{run}")
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_short_job
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("draw_figures.py"),
        settings=settings_of("figures"),
    message:
        "Drawing the figures of {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/draw_figures.py --run {wildcards.run} --predictions {input.predictions}"
        " --histories {input.histories} --models {input.models} --images {input.images} --pixels {input.pixels}"
        " --features {input.features} --manifest {input.manifest} --settings {params.settings:q}"
        " --figures {output.figures} --report-figures {output.shown} --failed {output.failed} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


report: "../report/workflow.rst"


rule report_runs:
    input:
        provenance=of_all_runs(paths.PROVENANCE),
        evaluation=of_all_runs(paths.EVALUATION),
        significance=of_all_runs(paths.SIGNIFICANCE),
        pictures=pictures_of_summary(),
        comparison=paths.COMPARISON,
        pairs=paths.COMPARISON_SIGNIFICANCE,
    output:
        accuracy=report(
            "results/comparison.png",
            caption=caption_of("figure_comparison"),
            category="Comparison",
            labels={"what": f"figure: {HEADLINE}"},
        ),
        cost=report(
            "results/cost.png",
            caption=caption_of("figure_cost"),
            category="Comparison",
            labels={"what": f"figure: {HEADLINE} against cost"},
        ),
        copies=collect(paths.FIGURE_OF_ALL, figure=FIGURES_OF_ALL_RUNS, format=job.config.figures.vector_copies),
        summary=paths.SUMMARY,
    log:
        paths.log("report_runs"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("report_runs.py"),
        settings=settings_of("figures_of_all"),
        runs=lambda wildcards, input: [os.path.dirname(path) for path in input.provenance],
    message:
        "Writing the report's first page"
    shell:
        "python $GRAFT_SCRIPTS/report_runs.py --runs {params.runs} --results $(dirname {input.comparison})"
        " --settings {params.settings:q} --figures {output.accuracy} {output.cost} {output.copies}"
        " --summary {output.summary} 2>&1 | tee {log}"
