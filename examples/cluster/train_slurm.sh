#!/usr/bin/env bash
# A training on many hosts by Slurm: each task is a worker, which computes its share of every batch; task 0 writes OUT.
#
#     sbatch examples/cluster/train_slurm.sh
#
# DATA lies on a disk that all hosts see, or at the same place on each; OUT on one that outlives the job. The recipe's
# batch is divided by the number of tasks. Submitted again, the training resumes.
#SBATCH --job-name=zoo-train
#SBATCH --ntasks=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

DATA=${DATA:-data3.h5}
OUT=${OUT:-model}
PORT=${PORT:-2222}
workers=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$PORT\"/" | paste -sd,)
# The secret that the workers authenticate with.
export ZOO_CLUSTER_KEY=${ZOO_CLUSTER_KEY:-$(openssl rand -hex 32)}
export DATA OUT workers
export TF_NUM_INTRAOP_THREADS=$SLURM_CPUS_PER_TASK

srun --kill-on-bad-exit=0 bash -c '
  export TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
  # When one worker is lost, the others end with status 75; together they resume from the last checkpoint.
  until zoo train activity_gru_pocket --data "$DATA" --out "$OUT" --wait 600; do
    status=$?
    [ "$status" -eq 75 ] || [ "$status" -gt 128 ] || exit "$status"
    sleep 5
  done
'
