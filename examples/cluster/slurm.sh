#!/usr/bin/env bash
# A search over many hosts by Slurm: task 0 is the chief, which gives out trials and runs the finals; all others train.
#
#     sbatch examples/cluster/slurm.sh
#
# OUT and DATA lie on a disk that all hosts see. Submitted again, the search resumes.
#SBATCH --job-name=zoo-tune
#SBATCH --ntasks=9
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

DATA=${DATA:-data3.h5}
OUT=${OUT:-search}
CHIEF=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
PORT=${PORT:-8790}
export DATA OUT CHIEF PORT
export TF_NUM_INTRAOP_THREADS=$SLURM_CPUS_PER_TASK

srun --kill-on-bad-exit=0 bash -c '
  role=worker
  [ "$SLURM_PROCID" = 0 ] && role=chief
  # A process that is killed, or asks for it (75), is started again under its name and gets its trial back.
  until zoo tune activity_gru_pocket --data "$DATA" --out "$OUT" --strategy bayesian --trials 200 --epochs 40 \
      --max-bytes 32000 --role "$role" --chief "$CHIEF:$PORT"; do
    status=$?
    [ "$status" -eq 75 ] || [ "$status" -gt 128 ] || exit "$status"
    sleep 5
  done
'
