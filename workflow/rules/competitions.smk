include: "competing.smk"


rule predict_unlabelled:
    input:
        models=last_models_of_run,
        calibration=paths.CALIBRATION,
        pixels=of_run(paths.PIXELS),
        manifest=of_run(paths.MANIFEST),
    output:
        predictions=paths.UNLABELLED_PREDICTIONS,
    log:
        paths.log("predict_unlabelled", "{run}"),
    benchmark:
        paths.benchmark("predict_unlabelled", "{run}")
    conda:
        "../../envs/graft.yaml"
    threads: threads_of_training
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("predict_unlabelled.py"),
        settings=settings_of("unlabelled"),
    message:
        "Predicting the photos without a label with {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/predict_unlabelled.py --settings {params.settings:q} --models {input.models}"
        " --calibration {input.calibration} --pixels {input.pixels} --manifest {input.manifest} --tag {wildcards.run}"
        " --predictions {output.predictions} --threads {threads} --gpus {resources.gpu} 2>&1 | tee {log}"


rule write_submission:
    input:
        predictions=paths.UNLABELLED_PREDICTIONS,
        sample=sample_of,
    output:
        submission=paths.SUBMISSION,
    log:
        paths.log("write_submission", "{run}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("write_submission.py"),
        settings=settings_of("submission"),
        photos=photo_set_of,
    message:
        "Writing the submission of {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/write_submission.py --settings {params.settings:q} --predictions {input.predictions}"
        " --photos {params.photos:q} --tag {wildcards.run} --submission {output.submission} 2>&1 | tee {log}"
