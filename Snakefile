# Graft: a head grafted on a pretrained network, trained, fine-tuned, and judged.
# The workflow is workflow/Snakefile, where other workflows look for it; this file lets `snakemake` find it from here.
workflow.include("workflow/Snakefile", overwrite_default_target=True)  # `include:` would lose the default target
