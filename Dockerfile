# Two stages: the first builds the static binary, the second is what runs.
#
#   docker build -t chronode .
#   docker run -p 127.0.0.1:4400:4400 -v chronode-data:/data -v "$PWD/jobs:/jobs:ro" \
#     -v "$PWD/credentials:/etc/chronode/credentials:ro" -e CHRONODE_CREDENTIALS=/etc/chronode/credentials chronode
#
# The address is the container's own; which addresses of the host lead to it is decided by `-p`. Other containers and
# the host reach it in any case, so it needs credentials: mount a file that `chronode credential` made, which user 4400
# owns, mode 0600. CHRONODE_INSECURE=true does without; then whoever reaches it may run any command here.
#
# Commands run inside this container and end with it; `--drain` gives them time when it is stopped. Give `docker stop`
# at least as long: `docker stop --time 70`.
#
# Both images can be others: BUILD_IMAGE has a Rust toolchain and is Debian's or has `musl-gcc` already, RUNTIME_IMAGE
# has what jobs want: a shell at least, because commands are shell text. The binary itself needs nothing.
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
RUN command -v musl-gcc >/dev/null \
 || (apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*)
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY packaging/build packaging/build
COPY src src
COPY web web
RUN packaging/build /out/chronode

FROM ${RUNTIME_IMAGE}
# tar, gzip and unzip unpack what jobs fetch; ca-certificates lets them fetch it over https. Other images than Debian's
# bring theirs.
RUN if command -v apt-get >/dev/null; then \
      apt-get update && apt-get install -y --no-install-recommends ca-certificates unzip && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=build /out/chronode /usr/local/bin/chronode
# A new volume takes owner and mode from what the image has at its place.
RUN mkdir -m 0700 /data && chown 4400:4400 /data
# By number, so that Kubernetes' `runAsNonRoot` can see that it is not root. It needs no entry in /etc/passwd.
USER 4400:4400
WORKDIR /data
VOLUME /data
EXPOSE 4400
ENV CHRONODE_DATA=/data \
    CHRONODE_HTTP_ADDRESS=0.0.0.0 \
    CHRONODE_DRAIN=60
# 503, or no answer in time, as soon as nothing is decided any more; it needs no credentials. With TLS alone, or another
# port, set CHRONODE_SERVER, and CHRONODE_CA_FILE.
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s --retries=3 CMD ["/usr/local/bin/chronode", "health"]
STOPSIGNAL SIGTERM
# As the first process it starts the scheduler as its child, passes signals on and reaps orphans: no `--init` is needed.
ENTRYPOINT ["/usr/local/bin/chronode"]
CMD ["serve", "--jobs", "/jobs"]
