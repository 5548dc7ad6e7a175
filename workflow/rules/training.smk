rule train_head:
    input:
        features=of_run(paths.FEATURES),
        weights=of_run(paths.WEIGHTS),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
        classes=of_run(paths.CLASSES),
    output:
        model="results/runs/{run}/fold{fold}/head/model.keras",
        history="results/runs/{run}/fold{fold}/head/history.csv",
    log:
        paths.log("train_head", "{run}-fold{fold}"),
    benchmark:
        paths.benchmark("train_head", "{run}-fold{fold}")
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_training
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("train_head.py"),
        settings=settings_of("head"),
        states=placed(paths.STATES),
    message:
        "Training the head of {wildcards.run}, fold {wildcards.fold}"
    shell:
        "python $GRAFT_SCRIPTS/train_head.py --settings {params.settings:q} --features {input.features}"
        " --weights {input.weights} --manifest {input.manifest} --split {input.split} --classes {input.classes}"
        " --fold {wildcards.fold} --tag '{wildcards.run}, fold {wildcards.fold}' --state {params.states}"
        " --model {output.model} --history {output.history} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule fine_tune:
    input:
        model="results/runs/{run}/fold{fold}/head/model.keras",
        pixels=of_run(paths.PIXELS),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
    output:
        model="results/runs/{run}/fold{fold}/finetuned/model.keras",
        history="results/runs/{run}/fold{fold}/finetuned/history.csv",
    log:
        paths.log("fine_tune", "{run}-fold{fold}"),
    benchmark:
        paths.benchmark("fine_tune", "{run}-fold{fold}")
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_training
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code_of("fine_tune.py"),
        settings=settings_of("finetune"),
        backbone=settings_of("backbone_name"),
        states=placed(paths.STATES),
    message:
        "Fine-tuning {wildcards.run}, fold {wildcards.fold}"
    shell:
        "python $GRAFT_SCRIPTS/fine_tune.py --settings {params.settings:q} --backbone {params.backbone}"
        " --head-model {input.model} --pixels {input.pixels} --manifest {input.manifest} --split {input.split}"
        " --fold {wildcards.fold} --tag '{wildcards.run}, fold {wildcards.fold}' --state {params.states}"
        " --model {output.model} --history {output.history} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule predict:
    input:
        models=of_folds(paths.MODEL_OF_STAGE),
        pixels=of_run(paths.PIXELS),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
        views=views_of_run,
    output:
        predictions=output_of("predict", paths.RAW_PREDICTIONS),
        features=in_shards("predict", paths.FEATURES_OF_RUN),
    log:
        in_shards("predict", paths.log("predict", "{run}{shard}")),
    benchmark:
        in_shards("predict", paths.benchmark("predict", "{run}{shard}"))
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_training
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("predict.py"),
        settings=settings_of("predict"),
        shard=shard_of,
    message:
        in_shards("predict", "Predicting with {wildcards.run}{shard}", ", shard {wildcards.scatteritem}")
    shell:
        "python $GRAFT_SCRIPTS/predict.py --settings {params.settings:q} --models {input.models} --pixels {input.pixels}"
        " --manifest {input.manifest} --split {input.split} --views {input.views} --shard {params.shard}"
        " --tag {wildcards.run}"
        " --predictions {output.predictions} --features {output.features} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"
