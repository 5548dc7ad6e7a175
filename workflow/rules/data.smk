include: "sources.smk"


rule download_dataset:
    input:
        archive=local_archive,
    output:
        archive=paths.ARCHIVE,
        record=paths.DOWNLOAD,
    log:
        paths.log("download_dataset", "{dataset}"),
    wildcard_constraints:
        dataset=names_of(("kaggle", "url", "archive")),
    cache: "omit-software"
    priority: 10
    localrule: True  # a compute node may have no network
    conda:
        "../../envs/graft.yaml"
    resources:
        network=1,
    params:
        code=code_of("download_dataset.py"),
        source=settings_of("source"),
        settings=settings_of("ingest"),
        scratch=placed("results/data/{dataset}/.download"),
        lock=placed(paths.LOCK),
    message:
        "Downloading {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/download_dataset.py --source {params.source:q} --settings {params.settings:q}"
        " --lock {params.lock} --scratch {params.scratch}"
        " --archive {output.archive} --record {output.record} 2>&1 | tee {log}"


rule draw_sample:
    output:
        archive=paths.ARCHIVE,
        record=paths.DOWNLOAD,
    log:
        paths.log("draw_sample", "{dataset}"),
    wildcard_constraints:
        dataset=names_of(("sample",)),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("draw_sample.py"),
        source=settings_of("source"),
    message:
        "Drawing the photos of {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/draw_sample.py --source {params.source:q} --archive {output.archive} --record {output.record}"
        " 2>&1 | tee {log}"


rule ingest_dataset:
    input:
        arrived=arrived,
        tables=label_tables,
    output:
        images=directory(paths.IMAGES),
        manifest=paths.MANIFEST,
        audit=report(
            paths.AUDIT,
            caption="../report/audit.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "verdict of every file"},
        ),
        sheet=report(
            paths.AUDIT_SHEET,
            caption="../report/audit_sheet.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "contact sheet of the audit"},
        ),
        classes=paths.CLASSES,
        source=paths.SOURCE,
    log:
        paths.log("ingest_dataset", "{dataset}"),
    benchmark:
        paths.benchmark("ingest_dataset", "{dataset}")
    conda:
        "../../envs/graft.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        code=code_of("ingest_dataset.py"),
        settings=settings_of("ingest"),
        labels=settings_of("labels"),
        pictures=settings_of("pictures"),
        photos=photos_of,
        state=state_of_folder,
        lock=placed(paths.LOCK),
    message:
        "Checking the photos of {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/ingest_dataset.py {params.photos} --settings {params.settings:q}"
        " --labels {params.labels:q} --pictures {params.pictures:q} --workers {threads}"
        " --lock {params.lock} --output $(dirname {output.manifest}) 2>&1 | tee {log}"


rule split_dataset:
    input:
        manifest=paths.MANIFEST,
        own=split_file,
    output:
        split=paths.SPLIT,
    log:
        paths.log("split_dataset", "{dataset}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("split_dataset.py"),
        settings=settings_of("split"),
    message:
        "Splitting {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/split_dataset.py --manifest {input.manifest} --settings {params.settings:q}"
        " --output {output.split} 2>&1 | tee {log}"


rule pack_images:
    input:
        images=paths.IMAGES,
        manifest=paths.MANIFEST,
    output:
        pixels=output_of("pack", paths.PIXELS),
    log:
        in_shards("pack", paths.log("pack_images", "{dataset}-{size}{fit}{shard}")),
    benchmark:
        in_shards("pack", paths.benchmark("pack_images", "{dataset}-{size}{fit}{shard}"))
    conda:
        "../../envs/graft.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("pack_images.py"),
        pictures=settings_of("pictures"),
        shard=shard_of,
    message:
        in_shards(
            "pack",
            "Packing the photos of {wildcards.dataset} at {wildcards.size} pixels{shard}",
            ", shard {wildcards.scatteritem}",
        )
    shell:
        "python $GRAFT_SCRIPTS/pack_images.py --manifest {input.manifest} --images {input.images}"
        " --size {wildcards.size} --pictures {params.pictures:q} --shard {params.shard} --workers {threads}"
        " --output {output.pixels} 2>&1 | tee {log}"


if job.config.shards.pack > 1:

    rule join_pixels:
        input:
            shards=gather.pack("results/data/{{dataset}}/pixels-{{size}}{{fit}}.npy.{scatteritem}"),
        output:
            pixels=paths.PIXELS,
        log:
            paths.log("join_pixels", "{dataset}-{size}{fit}"),
        benchmark:
            paths.benchmark("join_pixels", "{dataset}-{size}{fit}")
        conda:
            "../../envs/graft.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            code=code_of("join_shards.py"),
        message:
            "Joining the pixels of {wildcards.dataset} at {wildcards.size} pixels"
        shell:
            "python $GRAFT_SCRIPTS/join_shards.py --shards {input.shards} --axis 0 --output {output.pixels} 2>&1 | tee {log}"


rule lock_dataset:
    input:
        source=paths.SOURCE,
        manifest=paths.MANIFEST,
    output:
        paths.LOCK,
    log:
        paths.log("lock_dataset", "{dataset}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("lock_dataset.py"),
    message:
        "Locking {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/lock_dataset.py --source {input.source} --manifest {input.manifest} --output {output} 2>&1 | tee {log}"
