# On request only: the weights that ship as workflow/resources/rootstock.npz, made anew.
rule pretrain_rootstock:
    input:
        code=code_of("pretrain_rootstock.py"),
    output:
        weights="results/rootstock/rootstock.npz",
    log:
        "results/logs/pretrain_rootstock.log",
    benchmark:
        "results/benchmarks/pretrain_rootstock.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    message:
        "Pretraining Rootstock on drawn textures"
    shell:
        "python {input.code[0]} --output {output.weights} --threads {threads} 2>&1 | tee {log}"
