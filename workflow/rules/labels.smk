# On request only: which photos may bear a wrong label (`make labels DATASET=name`).
def features_for_labels(wildcards):
    """Return features of a dataset: those that its first run has cached, or, before any run, without views."""
    try:
        keys = job.features_of_dataset(wildcards.dataset)
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    cached, plain = (paths.FEATURES.format(dataset=wildcards.dataset, features=key) for key in keys)
    return cached if os.path.exists(cached) else plain


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
    message:
        "Looking for wrong labels in {wildcards.dataset}"
    shell:
        "python $GRAFT_SCRIPTS/find_label_issues.py --dataset {wildcards.dataset} --features {input.features} --manifest {input.manifest}"
        " --classes {input.classes} --images {input.images} --settings {params.settings:q}"
        " --output {output.issues} --figure {output.figure} 2>&1 | tee {log}"
