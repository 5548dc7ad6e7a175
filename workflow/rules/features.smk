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
        split="results/data/{dataset}/split.csv",
    output:
        features="results/features/{dataset}/{features}.npy",
    log:
        "results/logs/embed_images/{dataset}-{features}.log",
    benchmark:
        "results/benchmarks/embed_images/{dataset}-{features}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("embed"),
    message:
        "Embedding the photos of {wildcards.dataset} with {wildcards.features}"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --weights {input.weights} --pixels {input.pixels}"
        " --manifest {input.manifest} --split {input.split} --output {output.features}"
        " --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"
