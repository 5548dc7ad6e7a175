rule train_head:
    input:
        code=code_of("train_head.py"),
        features=features_of_run,
        weights=weights_of_run,
        manifest=data_of_run("manifest.csv"),
        split=data_of_run("split.csv"),
        classes=data_of_run("classes.json"),
    output:
        model="results/runs/{run}/fold{fold}/head/model.keras",
        history="results/runs/{run}/fold{fold}/head/history.csv",
    log:
        "results/logs/train_head/{run}-fold{fold}.log",
    benchmark:
        "results/benchmarks/train_head/{run}-fold{fold}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("head"),
    message:
        "Training the head of {wildcards.run}, fold {wildcards.fold}"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --features {input.features} --weights {input.weights}"
        " --manifest {input.manifest} --split {input.split} --classes {input.classes} --fold {wildcards.fold}"
        " --tag '{wildcards.run}, fold {wildcards.fold}' --state results/state --model {output.model}"
        " --history {output.history} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule fine_tune:
    input:
        code=code_of("fine_tune.py"),
        model="results/runs/{run}/fold{fold}/head/model.keras",
        pixels=pixels_of_run,
        manifest=data_of_run("manifest.csv"),
        split=data_of_run("split.csv"),
    output:
        model="results/runs/{run}/fold{fold}/finetuned/model.keras",
        history="results/runs/{run}/fold{fold}/finetuned/history.csv",
    log:
        "results/logs/fine_tune/{run}-fold{fold}.log",
    benchmark:
        "results/benchmarks/fine_tune/{run}-fold{fold}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        settings=settings_of("finetune"),
        backbone=settings_of("backbone_name"),
    message:
        "Fine-tuning {wildcards.run}, fold {wildcards.fold}"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --backbone {params.backbone} --head-model {input.model}"
        " --pixels {input.pixels} --manifest {input.manifest} --split {input.split} --fold {wildcards.fold}"
        " --tag '{wildcards.run}, fold {wildcards.fold}' --state results/state --model {output.model}"
        " --history {output.history} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule predict:
    input:
        code=code_of("predict.py"),
        model="results/runs/{run}/fold{fold}/{stage}/model.keras",
        pixels=pixels_of_run,
        manifest=data_of_run("manifest.csv"),
        split=data_of_run("split.csv"),
    output:
        predictions="results/runs/{run}/fold{fold}/{stage}/predictions.csv",
    log:
        "results/logs/predict/{run}-fold{fold}-{stage}.log",
    benchmark:
        "results/benchmarks/predict/{run}-fold{fold}-{stage}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: short_threads
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("predict"),
    message:
        "Predicting with the {wildcards.stage} of {wildcards.run}, fold {wildcards.fold}"
    shell:
        "python {input.code[0]} --settings {params.settings:q} --model {input.model} --pixels {input.pixels}"
        " --manifest {input.manifest} --split {input.split} --fold {wildcards.fold}"
        " --tag '{wildcards.run}, fold {wildcards.fold}, {wildcards.stage}' --predictions {output.predictions}"
        " --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule publish_model:
    input:
        code=code_of("publish_model.py"),
        model=last_model_of_run,
        calibration="results/runs/{run}/calibration.json",
    output:
        model="results/runs/{run}/model.keras",
    log:
        "results/logs/publish_model/{run}.log",
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        stage=settings_of("last_stage"),
    message:
        "Publishing the model of {wildcards.run}"
    shell:
        "python {input.code[0]} --run {wildcards.run} --stage {params.stage} --model {input.model}"
        " --calibration {input.calibration} --output {output.model} 2>&1 | tee {log}"
