rule fetch_weights:
    input:
        code=code_of("fetch_weights.py"),
        own=own_weights,
    output:
        weights="results/weights/{backbone}.weights.h5",
    log:
        "results/logs/fetch_weights/{backbone}.log",
    cache: "omit-software"
    localrule: True  # a compute node may have no network
    conda:
        "../../envs/graft.yaml"
    resources:
        network=1,
    params:
        settings=settings_of("weights"),
    message:
        "Fetching the weights of {wildcards.backbone}"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --output {output.weights} 2>&1 | tee {log}"


rule embed_images:
    input:
        code=code_of("embed_images.py"),
        pixels=pixels_of_features,
        weights=weights_of_features,
        manifest="results/data/{dataset}/manifest.csv",
        split=split_of_views,
    output:
        features=output_of("embed", "results/features/{dataset}/{features}.npy"),
    log:
        in_shards("embed", "results/logs/embed_images/{dataset}-{features}{shard}.log"),
    benchmark:
        in_shards("embed", "results/benchmarks/embed_images/{dataset}-{features}{shard}.tsv")
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("embed"),
        shard=shard_of,
    message:
        in_shards(
            "embed",
            "Embedding the photos of {wildcards.dataset} with {wildcards.features}{shard}",
            ", shard {wildcards.scatteritem}",
        )
    shell:
        "python {input.code[0]} --settings {params.settings:q} --weights {input.weights} --pixels {input.pixels}"
        " --manifest {input.manifest} --split {input.split} --output {output.features}"
        " --shard {params.shard} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


if job.config.shards.embed > 1:

    rule join_features:
        input:
            code=code_of("join_shards.py"),
            shards=gather.embed("results/features/{{dataset}}/{{features}}.npy.{scatteritem}"),
        output:
            features="results/features/{dataset}/{features}.npy",
        log:
            "results/logs/join_features/{dataset}-{features}.log",
        benchmark:
            "results/benchmarks/join_features/{dataset}-{features}.tsv"
        conda:
            "../../envs/graft.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        message:
            "Joining the features of {wildcards.dataset}, {wildcards.features}"
        shell:
            "python {input.code[0]} --shards {input.shards} --axis 1 --output {output.features} 2>&1 | tee {log}"
