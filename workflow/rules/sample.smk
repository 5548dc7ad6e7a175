# On request only: the weights that ship as workflow/resources/rootstock.npz, made anew.
rule pretrain_rootstock:
    output:
        weights="results/rootstock/rootstock.npz",
    log:
        paths.log("pretrain_rootstock"),
    benchmark:
        "results/benchmarks/pretrain_rootstock.tsv"
    conda:
        "../../envs/graft.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code_of("pretrain_rootstock.py"),
    message:
        "Pretraining Rootstock on drawn textures"
    shell:
        "python $GRAFT_SCRIPTS/pretrain_rootstock.py --output {output.weights} --threads {threads} 2>&1 | tee {log}"
