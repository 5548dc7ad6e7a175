include: "sweeping.smk"


# Sweeps: what they will cost, and which setting wins.
wildcard_constraints:
    sweep="|".join(map(re.escape, job.sweeps)) or "(?!)",


rule rank_sweep:
    input:
        predictions=files_of_sweep(paths.PREDICTIONS),
    output:
        ranking=report(
            paths.RANKING,
            caption="../report/sweep.rst",
            category="Sweeps",
            labels={"sweep": "{sweep}"},
        ),
    log:
        paths.log("rank_sweep", "{sweep}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("rank_sweep.py"),
        settings=settings_of("sweep"),
    message:
        "Ranking the runs of {wildcards.sweep}"
    shell:
        "python $GRAFT_SCRIPTS/rank_sweep.py --settings {params.settings:q} --predictions {input.predictions}"
        " --ranking {output.ranking} 2>&1 | tee {log}"


# The model table: config/model_table.yaml, `make table`.


rule model_table:
    input:
        results_of_model_table,
    localrule: True
    message:
        f"The model table is in {RESULTS}/model_table"


rule time_network:
    output:
        timing=paths.TIMING,
    log:
        paths.log("time_network", "{backbone}"),
    conda:
        "../../envs/graft.yaml"
    threads: every_core
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code_of("time_network.py"),
        settings=settings_of("timing"),
    message:
        "Timing {wildcards.backbone}"
    shell:
        "python $GRAFT_SCRIPTS/time_network.py --settings {params.settings:q} --output {output.timing} --gpus {resources.gpu}"
        " 2>&1 | tee {log}"


checkpoint tabulate_networks:
    input:
        evaluations=evaluations_of_networks,
        timings=timings_of_networks,
    output:
        table=report(
            paths.MODEL_TABLE,
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "table: every network"},
        ),
        figure=report(
            "results/model_table/accuracy_and_time.png",
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "figure: accuracy against milliseconds"},
        ),
        page=report(
            "results/model_table/page.html",
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "page: which network"},
        ),
        latex="results/model_table/table.tex",
        recommendation="results/model_table/recommendation.txt",
    log:
        paths.log("tabulate_networks"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("tabulate_networks.py"),
        settings=settings_of("model_table"),
        embedded=benchmarks_of_networks,
        missing=lambda wildcards: canonical(networks_missing()),
    message:
        "Laying the networks side by side"
    shell:
        "python $GRAFT_SCRIPTS/tabulate_networks.py --settings {params.settings:q} --evaluations {input.evaluations}"
        " --timings {input.timings} --embedded {params.embedded} --missing {params.missing:q} --table {output.table}"
        " --figure {output.figure} --latex {output.latex} --page {output.page}"
        " --recommendation {output.recommendation} 2>&1 | tee {log}"


rule compare_finetuned:
    input:
        table=paths.MODEL_TABLE,
        evaluations=files_of_finetuned(paths.EVALUATION),
        models=files_of_finetuned(paths.MODEL),
    output:
        table=report(
            paths.MODEL_TABLE_FINETUNED,
            caption="../report/model_table_finetuned.rst",
            category="Model table",
            labels={"what": "table: the best networks, fine-tuned"},
        ),
    log:
        paths.log("compare_finetuned"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("compare_finetuned.py"),
        settings=settings_of("model_table"),
    message:
        "Comparing the best networks, fine-tuned, with their probes"
    shell:
        "python $GRAFT_SCRIPTS/compare_finetuned.py --settings {params.settings:q} --table {input.table} --evaluations {input.evaluations}"
        " --output {output.table} 2>&1 | tee {log}"
