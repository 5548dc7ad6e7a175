include: "sources.smk"


rule download_dataset:
    input:
        code=code_of("download_dataset.py"),
        archive=local_archive,
    output:
        archive="results/data/{dataset}/archive.zip",
        record="results/data/{dataset}/download.json",
    log:
        "results/logs/download_dataset/{dataset}.log",
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
        source=settings_of("source"),
        settings=settings_of("ingest"),
        scratch="results/data/{dataset}/.download",
    message:
        "Downloading {wildcards.dataset}"
    shell:
        "python {input.code[0]} --source {params.source:q} --settings {params.settings:q}"
        " --lock config/locks/{wildcards.dataset}.json --scratch {params.scratch}"
        " --archive {output.archive} --record {output.record} 2>&1 | tee {log}"


rule draw_sample:
    input:
        code=code_of("draw_sample.py"),
    output:
        archive="results/data/{dataset}/archive.zip",
        record="results/data/{dataset}/download.json",
    log:
        "results/logs/draw_sample/{dataset}.log",
    wildcard_constraints:
        dataset=names_of(("sample",)),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        source=settings_of("source"),
    message:
        "Drawing the photos of {wildcards.dataset}"
    shell:
        "python {input.code[0]} --source {params.source:q} --archive {output.archive} --record {output.record}"
        " 2>&1 | tee {log}"


rule ingest_dataset:
    input:
        code=code_of("ingest_dataset.py"),
        arrived=arrived,
    output:
        images=directory("results/data/{dataset}/images"),
        manifest="results/data/{dataset}/manifest.csv",
        audit=report(
            "results/data/{dataset}/audit.csv",
            caption="../report/audit.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "verdict of every file"},
        ),
        sheet=report(
            "results/data/{dataset}/audit.png",
            caption="../report/audit_sheet.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "contact sheet of the audit"},
        ),
        classes="results/data/{dataset}/classes.json",
        source="results/data/{dataset}/source.json",
    log:
        "results/logs/ingest_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/ingest_dataset/{dataset}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        settings=settings_of("ingest"),
        pictures=settings_of("pictures"),
        photos=photos_of,
        state=state_of_folder,
    message:
        "Checking the photos of {wildcards.dataset}"
    shell:
        "python {input.code[0]} {params.photos} --settings {params.settings:q} --pictures {params.pictures:q}"
        " --workers {threads}"
        " --lock config/locks/{wildcards.dataset}.json --output $(dirname {output.manifest}) 2>&1 | tee {log}"


rule split_dataset:
    input:
        code=code_of("split_dataset.py"),
        manifest="results/data/{dataset}/manifest.csv",
        own=split_file,
    output:
        split="results/data/{dataset}/split.csv",
    log:
        "results/logs/split_dataset/{dataset}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        settings=settings_of("split"),
    message:
        "Splitting {wildcards.dataset}"
    shell:
        "python {input.code[0]} --manifest {input.manifest} --settings {params.settings:q}"
        " --output {output.split} 2>&1 | tee {log}"


rule pack_images:
    input:
        code=code_of("pack_images.py"),
        images="results/data/{dataset}/images",
        manifest="results/data/{dataset}/manifest.csv",
    output:
        pixels=output_of("pack", "results/data/{dataset}/pixels-{size}{fit}.npy"),
    log:
        in_shards("pack", "results/logs/pack_images/{dataset}-{size}{fit}{shard}.log"),
    benchmark:
        in_shards("pack", "results/benchmarks/pack_images/{dataset}-{size}{fit}{shard}.tsv")
    conda:
        "../../envs/graft.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        pictures=settings_of("pictures"),
        shard=shard_of,
    message:
        in_shards(
            "pack",
            "Packing the photos of {wildcards.dataset} at {wildcards.size} pixels{shard}",
            ", shard {wildcards.scatteritem}",
        )
    shell:
        "python {input.code[0]} --manifest {input.manifest} --images {input.images} --size {wildcards.size}"
        " --pictures {params.pictures:q} --shard {params.shard} --workers {threads} --output {output.pixels} 2>&1 | tee {log}"


if job.config.shards.pack > 1:

    rule join_pixels:
        input:
            code=code_of("join_shards.py"),
            shards=gather.pack("results/data/{{dataset}}/pixels-{{size}}{{fit}}.npy.{scatteritem}"),
        output:
            pixels="results/data/{dataset}/pixels-{size}{fit}.npy",
        log:
            "results/logs/join_pixels/{dataset}-{size}{fit}.log",
        benchmark:
            "results/benchmarks/join_pixels/{dataset}-{size}{fit}.tsv"
        conda:
            "../../envs/graft.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        message:
            "Joining the pixels of {wildcards.dataset} at {wildcards.size} pixels"
        shell:
            "python {input.code[0]} --shards {input.shards} --axis 0 --output {output.pixels} 2>&1 | tee {log}"


rule lock_dataset:
    input:
        code=code_of("lock_dataset.py"),
        source="results/data/{dataset}/source.json",
        manifest="results/data/{dataset}/manifest.csv",
    output:
        "config/locks/{dataset}.json",
    log:
        "results/logs/lock_dataset/{dataset}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    message:
        "Locking {wildcards.dataset}"
    shell:
        "python {input.code[0]} --source {input.source} --manifest {input.manifest} --output {output} 2>&1 | tee {log}"
