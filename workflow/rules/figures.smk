FIGURE_STYLE = os.path.relpath(SCRIPTS / "graft" / "figures" / "graft.mplstyle")
COPIES = job.config.figures.vector_copies


rule plot_learning_curves:
    input:
        code=code_of("plot_learning_curves.py"),
        style=FIGURE_STYLE,
        histories=files_of_folds("history.csv"),
    output:
        figure=report(
            "results/runs/{run}/figures/learning_curves.png",
            caption="../report/figure_learning_curves.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "both", "figure": "learning curves"},
        ),
        copies=collect("results/runs/{{run}}/figures/learning_curves.{format}", format=COPIES),
    log:
        "results/logs/plot_learning_curves/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:learning_curves"),
    message:
        "Drawing the learning curves of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --histories {input.histories}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_prediction_grid:
    input:
        code=code_of("plot_prediction_grid.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
        images=data_of_run("images"),
    output:
        figure=report(
            "results/runs/{run}/figures/prediction_grid.png",
            caption="../report/figure_prediction_grid.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "last", "figure": "prediction grid"},
        ),
        copies=collect("results/runs/{{run}}/figures/prediction_grid.{format}", format=COPIES),
    log:
        "results/logs/plot_prediction_grid/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:prediction_grid"),
    message:
        "Drawing a sample of predictions of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions} --images {input.images}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_confusion_matrix:
    input:
        code=code_of("plot_confusion_matrix.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
    output:
        figure=report(
            "results/runs/{run}/figures/confusion_matrix.png",
            caption="../report/figure_confusion_matrix.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "both", "figure": "confusion matrix"},
        ),
        copies=collect("results/runs/{{run}}/figures/confusion_matrix.{format}", format=COPIES),
    log:
        "results/logs/plot_confusion_matrix/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:confusion_matrix"),
    message:
        "Drawing the confusion matrix of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_comparison:
    input:
        code=code_of("plot_comparison.py"),
        style=FIGURE_STYLE,
        comparison="results/comparison.csv",
    output:
        figure=report(
            "results/comparison.png",
            caption="../report/figure_comparison.rst",
            category="Comparison",
            labels={"what": "figure: accuracy"},
        ),
        copies=collect("results/comparison.{format}", format=COPIES),
    log:
        "results/logs/plot_comparison.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:comparison"),
    message:
        "Drawing the comparison of all runs"
    shell:
        "python {input.code[0]} --comparison {input.comparison}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_roc_pr:
    input:
        code=code_of("plot_roc_pr.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
    output:
        figure=report(
            "results/runs/{run}/figures/roc_pr.png",
            caption="../report/figure_roc_pr.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "both", "figure": "ROC, precision and recall"},
        ),
        copies=collect("results/runs/{{run}}/figures/roc_pr.{format}", format=COPIES),
    log:
        "results/logs/plot_roc_pr/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:roc_pr"),
    message:
        "Drawing the ROC and precision-recall curves of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_reliability:
    input:
        code=code_of("plot_reliability.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
    output:
        figure=report(
            "results/runs/{run}/figures/reliability.png",
            caption="../report/figure_reliability.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "both", "figure": "reliability"},
        ),
        copies=collect("results/runs/{{run}}/figures/reliability.{format}", format=COPIES),
    log:
        "results/logs/plot_reliability/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:reliability"),
    message:
        "Drawing the reliability diagram of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_mistakes:
    input:
        code=code_of("plot_mistakes.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
        images=data_of_run("images"),
    output:
        figure=report(
            "results/runs/{run}/figures/mistakes.png",
            caption="../report/figure_mistakes.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "last", "figure": "mistakes"},
        ),
        copies=collect("results/runs/{{run}}/figures/mistakes.{format}", format=COPIES),
    log:
        "results/logs/plot_mistakes/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:mistakes"),
    message:
        "Drawing the mistakes of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions} --images {input.images}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_feature_map:
    input:
        code=code_of("plot_feature_map.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
        features=features_of_run,
        manifest=data_of_run("manifest.csv"),
    output:
        figure=report(
            "results/runs/{run}/figures/feature_map.png",
            caption="../report/figure_feature_map.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "last", "figure": "feature map"},
        ),
        copies=collect("results/runs/{{run}}/figures/feature_map.{format}", format=COPIES),
    log:
        "results/logs/plot_feature_map/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:feature_map"),
    message:
        "Drawing the feature map of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions}"
        " --features {input.features} --manifest {input.manifest}"
        " --settings {params.settings:q} --figure {output} 2>&1 | tee {log}"


rule plot_gradcam:
    input:
        code=code_of("plot_gradcam.py"),
        style=FIGURE_STYLE,
        predictions="results/runs/{run}/predictions.csv",
        models=last_models_of_run,
        pixels=pixels_of_run,
        manifest=data_of_run("manifest.csv"),
    output:
        figure=report(
            "results/runs/{run}/figures/gradcam.png",
            caption="../report/figure_gradcam.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": "last", "figure": "Grad-CAM"},
        ),
        copies=collect("results/runs/{{run}}/figures/gradcam.{format}", format=COPIES),
    log:
        "results/logs/plot_gradcam/{run}.log",
    benchmark:
        "results/benchmarks/plot_gradcam/{run}.tsv"
    priority: 1  # the longest of them: first, beside the others
    conda:
        "../../envs/graft.yaml"
    threads: short_threads
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("figure:gradcam"),
    message:
        "Drawing where the model of {wildcards.run} looks"
    shell:
        "python {input.code[0]} --run {wildcards.run} --predictions {input.predictions} --models {input.models}"
        " --pixels {input.pixels} --manifest {input.manifest} --settings {params.settings:q} --figure {output}"
        " --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule plot_cost:
    input:
        code=code_of("plot_cost.py"),
        style=FIGURE_STYLE,
        comparison="results/comparison.csv",
    output:
        figure=report(
            "results/cost.png",
            caption="../report/figure_cost.rst",
            category="Comparison",
            labels={"what": "figure: accuracy against cost"},
        ),
        copies=collect("results/cost.{format}", format=COPIES),
    log:
        "results/logs/plot_cost.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("figure:cost"),
    message:
        "Drawing accuracy against cost"
    shell:
        "python {input.code[0]} --comparison {input.comparison} --settings {params.settings:q}"
        " --figure {output} 2>&1 | tee {log}"


report: "../report/workflow.rst"


rule write_summary:
    input:
        code=code_of("write_summary.py"),
        provenance=collect("results/runs/{run}/provenance.json", run=job.runs),
        evaluation=collect("results/runs/{run}/evaluation.csv", run=job.runs),
        significance=collect("results/runs/{run}/significance.csv", run=job.runs),
        pictures=collect(
            "results/runs/{run}/figures/{figure}.png",
            run=job.runs,
            figure=["mistakes", "confusion_matrix", "learning_curves"],
        ),
        comparison=["results/comparison.csv", "results/comparison_significance.csv", "results/comparison.png"],
    output:
        report(
            "results/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"what": "the whole job on one page"},
        ),
    log:
        "results/logs/write_summary.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        runs=lambda wildcards, input: [os.path.dirname(path) for path in input.provenance],
        results=lambda wildcards, input: os.path.dirname(input.comparison[0]),
    message:
        "Writing the report's first page"
    shell:
        "python {input.code[0]} --runs {params.runs} --results {params.results} --output {output} 2>&1 | tee {log}"
