include: "exporting.smk"


wildcard_constraints:
    export="(onnx|litert|openvino|saved_model)(-float16|-int8)?",


rule export_model:
    input:
        code=code_of("export_model.py"),
        requirements=os.path.relpath(f"{workflow.basedir}/envs/requirements-predict.txt"),
        model="results/runs/{run}/model.keras",
        predictions="results/runs/{run}/predictions.csv",
        pixels=pixels_of_run,
        manifest=data_of_run("manifest.csv"),
        split=data_of_run("split.csv"),
    output:
        folder=directory("results/runs/{run}/exports/{export}"),
        table="results/runs/{run}/exports/{export}.csv",
    log:
        "results/logs/export_model/{run}-{export}.log",
    benchmark:
        "results/benchmarks/export_model/{run}-{export}.tsv"
    conda:
        "../../envs/exports.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("export"),
    message:
        "Exporting {wildcards.run} as {wildcards.export}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --settings {params.settings:q} --model {input.model}"
        " --predictions {input.predictions} --pixels {input.pixels} --manifest {input.manifest} --split {input.split}"
        " --requirements {input.requirements} --output {output.folder} --table {output.table} --threads {threads}"
        " 2>&1 | tee {log}"


rule join_exports:
    input:
        code=code_of("join_exports.py"),
        tables=exports_of_run,
    output:
        table=report(
            "results/runs/{run}/exports.csv",
            caption="../report/exports.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "last", "table": "exports"},
        ),
    log:
        "results/logs/join_exports/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    message:
        "Tabling the exports of {wildcards.run}"
    shell:
        "python {input.code[0]} --tables {input.tables} --output {output.table} 2>&1 | tee {log}"
