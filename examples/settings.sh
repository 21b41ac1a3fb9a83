# What every example asks of its surroundings: a Millstream that runs, and the AWS CLI. Sourced, not run.
: "${AWS_ENDPOINT_URL:=http://127.0.0.1:4566}" "${AWS_DEFAULT_REGION:=us-east-1}"
: "${AWS_ACCESS_KEY_ID:=any}" "${AWS_SECRET_ACCESS_KEY:=any}"
export AWS_ENDPOINT_URL AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_PAGER=
account=123456789012

command -v aws >/dev/null || { echo "the AWS CLI is missing: pip install awscli" >&2; exit 1; }
curl -fsS "$AWS_ENDPOINT_URL/_millstream/health" >/dev/null 2>&1 || {
    echo "no Millstream at $AWS_ENDPOINT_URL: start one with 'millstream serve', or set AWS_ENDPOINT_URL" >&2
    exit 1
}

step() { printf '\n== %s\n' "$*"; }

# until_true WHAT COMMAND…: runs the command until it succeeds, for half a minute at most.
until_true() {
    what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || { echo "waited in vain: $what" >&2; exit 1; }
        sleep 0.2
    done
}

# package ZIP DIR: everything in DIR, at the archive's top.
package() {
    (cd "$2" && python3 - "$1" <<'PYTHON'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for folder, _, names in os.walk("."):
        for name in sorted(names):
            archive.write(os.path.join(folder, name))
PYTHON
    )
}

# logged GROUP TEXT: whether a line of the log group has the text.
logged() {
    aws logs filter-log-events --log-group-name "$1" --filter-pattern "\"$2\"" \
        --query 'length(events)' --output text | grep -qv '^0$'
}
