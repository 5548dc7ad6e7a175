include: "exporting.smk"


wildcard_constraints:
    export="(onnx|litert|openvino|saved_model)(-float16|-int8)?",


rule export_model:
    input:
        requirements=local(os.path.relpath(CHECKOUT / "envs" / "requirements-predict.txt")),
        model=paths.MODEL,
        predictions=paths.PREDICTIONS,
        pixels=of_run(paths.PIXELS),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
    output:
        folder=directory(paths.EXPORT),
        table=paths.EXPORT_ROW,
    log:
        paths.log("export_model", "{run}-{export}"),
    benchmark:
        paths.benchmark("export_model", "{run}-{export}")
    conda:
        "../../envs/exports.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("export_model.py"),
        settings=settings_of("export"),
    message:
        "Exporting {wildcards.run} as {wildcards.export}"
    shell:
        "python $GRAFT_SCRIPTS/export_model.py --run {wildcards.run} --settings {params.settings:q} --model {input.model}"
        " --predictions {input.predictions} --pixels {input.pixels} --manifest {input.manifest} --split {input.split}"
        " --requirements {input.requirements} --output {output.folder} --table {output.table} --threads {threads}"
        " 2>&1 | tee {log}"


rule join_exports:
    input:
        tables=exports_of_run,
        card=paths.MODEL_CARD,
    output:
        card=paths.EXPORTS_CARD,
        table=report(
            paths.EXPORTS,
            caption="../report/exports.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "last", "table": "exports"},
        ),
    log:
        paths.log("join_exports", "{run}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("join_exports.py"),
        several=" --several" if job.several else "",
    message:
        "Tabling the exports of {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/join_exports.py --tables {input.tables} --card {input.card}{params.several}"
        " --output {output.table} --output-card {output.card} 2>&1 | tee {log}"
