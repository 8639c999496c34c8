#!/usr/bin/env bash
# A search on one host of a cluster by Slurm, with a worker for every two cores.
#
#     sbatch examples/cluster/slurm.sh
#
# Submitted again, or started again by Slurm, the search resumes.
#SBATCH --job-name=zoo-tune
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

exec zoo tune activity_gru_pocket --data "${DATA:-data3.h5}" --out "${OUT:-search}" --strategy bayesian --trials 200 \
  --epochs 40 --max-bytes 32000 --workers $((SLURM_CPUS_PER_TASK / 2))
