# On request only: which photos may bear a wrong label (`make labels DATASET=name`).
rule find_label_issues:
    input:
        features=features_for_labels,
        manifest=paths.MANIFEST,
        classes=paths.CLASSES,
        images=paths.IMAGES,
    output:
        issues=report(
            paths.LABEL_ISSUES,
            caption="../report/label_issues.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "labels that may be wrong"},
        ),
        figure=report(
            paths.LABEL_ISSUES_FIGURE,
            caption="../report/label_issues.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "figure: labels that may be wrong"},
        ),
    log:
        paths.log("find_label_issues", "{dataset}"),
    benchmark:
        paths.benchmark("find_label_issues", "{dataset}")
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("find_label_issues.py"),
        settings=settings_of("grouping"),
        pictures=settings_of("pictures"),
    message:
        "Looking for wrong labels in {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/find_label_issues.py --dataset {wildcards.dataset} --features {input.features} --manifest {input.manifest}"
        " --classes {input.classes} --images {input.images} --settings {params.settings:q} --pictures {params.pictures:q}"
        " --output {output.issues} --figure {output.figure} 2>&1 | tee {log}"
