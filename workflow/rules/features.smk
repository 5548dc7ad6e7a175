rule fetch_weights:
    input:
        own=own_weights,
    output:
        weights=paths.WEIGHTS,
    log:
        paths.log("fetch_weights", "{backbone}"),
    cache: "omit-software"
    localrule: True  # a compute node may have no network
    conda:
        "../../envs/graft.yaml"
    resources:
        network=1,
    params:
        code=code_of("fetch_weights.py"),
        settings=settings_of("weights"),
    message:
        "Fetching the weights of {wildcards.backbone}"
    shell:
        "python $GRAFT_SCRIPTS/fetch_weights.py --settings {params.settings:q} --output {output.weights} 2>&1 | tee {log}"


rule embed_images:
    input:
        pixels=pixels_of_features,
        weights=weights_of_features,
        manifest=paths.MANIFEST,
        split=split_of_views,
    output:
        features=output_of("embed", paths.FEATURES),
    log:
        in_shards("embed", paths.log("embed_images", "{dataset}-{features}{shard}")),
    benchmark:
        in_shards("embed", paths.benchmark("embed_images", "{dataset}-{features}{shard}"))
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_embedding
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("embed_images.py"),
        settings=settings_of("embed"),
        shard=shard_of,
    message:
        in_shards(
            "embed",
            "Embedding the photos of {wildcards.dataset} with {wildcards.features}{shard}",
            ", shard {wildcards.scatteritem}",
        )
    shell:
        "python $GRAFT_SCRIPTS/embed_images.py --settings {params.settings:q} --weights {input.weights} --pixels {input.pixels}"
        " --manifest {input.manifest} --split {input.split} --output {output.features}"
        " --shard {params.shard} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


if job.config.shards.embed > 1:

    rule join_features:
        input:
            shards=gather.embed("results/features/{{dataset}}/{{features}}.npy.{scatteritem}"),
        output:
            features=paths.FEATURES,
        log:
            paths.log("join_features", "{dataset}-{features}"),
        benchmark:
            paths.benchmark("join_features", "{dataset}-{features}")
        conda:
            "../../envs/graft.yaml"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            code=code_of("join_shards.py"),
        message:
            "Joining the features of {wildcards.dataset}, {wildcards.features}"
        shell:
            "python $GRAFT_SCRIPTS/join_shards.py --shards {input.shards} --axis 1 --output {output.features} 2>&1 | tee {log}"
