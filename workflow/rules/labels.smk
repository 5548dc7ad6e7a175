# On request only: which photos may bear a wrong label (`make labels DATASET=name`).
rule find_label_issues:
    input:
        code=code_of("find_label_issues.py"),
        features=features_for_labels,
        manifest="results/data/{dataset}/manifest.csv",
        classes="results/data/{dataset}/classes.json",
        images="results/data/{dataset}/images",
    output:
        issues=report(
            "results/data/{dataset}/label_issues.csv",
            caption="../report/label_issues.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "labels that may be wrong"},
        ),
        figure=report(
            "results/data/{dataset}/label_issues.png",
            caption="../report/label_issues.rst",
            category="Data",
            labels={"dataset": "{dataset}", "what": "figure: labels that may be wrong"},
        ),
    log:
        "results/logs/find_label_issues/{dataset}.log",
    benchmark:
        "results/benchmarks/find_label_issues/{dataset}.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=settings_of("grouping"),
    message:
        "Looking for wrong labels in {wildcards.dataset}"
    shell:
        "python {input.code[0]} --dataset {wildcards.dataset} --features {input.features} --manifest {input.manifest}"
        " --classes {input.classes} --images {input.images} --settings {params.settings:q}"
        " --output {output.issues} --figure {output.figure} 2>&1 | tee {log}"
