include: "views.smk"


# On request (`test_views` in a recipe): features of the views that predictions are averaged over.
rule embed_test_views:
    input:
        pixels=pixels_of_views,
        weights=weights_of_views,
        manifest=paths.MANIFEST,
        split=paths.SPLIT,
    output:
        features=paths.TEST_VIEWS,
    log:
        paths.log("embed_test_views", "{dataset}-{views}"),
    benchmark:
        paths.benchmark("embed_test_views", "{dataset}-{views}")
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_embedding
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("embed_test_views.py"),
        settings=settings_of("test_views"),
    message:
        "Embedding test-time views of {wildcards.dataset} with {wildcards.views}"
    shell:
        "python $GRAFT_SCRIPTS/embed_test_views.py --settings {params.settings:q} --weights {input.weights}"
        " --pixels {input.pixels} --manifest {input.manifest} --split {input.split} --output {output.features}"
        " --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"
