# The image in which Airflow runs the jobs: the program, the .NET runtime, and pg_dump and pg_restore for backups. Nothing else.
#
#   docker build -t sales-tasks --build-arg REVISION="$(git rev-parse HEAD)" --build-arg CREATED="$(date -u +%FT%TZ)" .
#   docker run --rm --read-only --tmpfs /tmp -e AIRFLOW_CONN_SALES_POSTGRES=… sales-tasks scoring score
#
# No shell, no package manager, a numeric user without rights, a root file system that may be read-only.
# Builds with BuildKit and with the classic builder.

# Both must be of one distribution and release (glibc): files of the first are copied into the second.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled

FROM ${SDK_IMAGE} AS build
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    DOTNET_NOLOGO=1 \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
WORKDIR /source

# Packages first: this layer is rebuilt only when a version changes. The lock file decides; a deviation is an error.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/SalesTasks/SalesTasks.csproj src/SalesTasks/packages.lock.json src/SalesTasks/
RUN dotnet restore src/SalesTasks --locked-mode --use-current-runtime -p:PublishReadyToRun=true

# LightGBM's native library needs libgomp; it is kept apart, where the runtime image can take it from.
RUN ls /usr/lib/*-linux-gnu/libgomp.so.1 >/dev/null 2>&1 \
      || (apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1); \
    for library in /usr/lib/*-linux-gnu/libgomp.so.1; do install -D "$library" "/native$library" || exit 1; done

# Backups are pg_dump's. It must be at least as new as the server; the distribution's own is 16 on noble and 15 on bookworm. A newer one, by its
# major number, comes from the PostgreSQL project's packages: --build-arg POSTGRES_CLIENT=18. The two programs go to where the program looks for
# them, with the libraries they load (TLS, GSSAPI and LDAP come with libpq) except those that the runtime image has and keeps up to date.
ARG POSTGRES_CLIENT=
RUN apt-get update -qq \
 && if [ -n "$POSTGRES_CLIENT" ]; then \
      apt-get install -y -qq --no-install-recommends postgresql-common ca-certificates >/dev/null \
        && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y >/dev/null || exit 1; \
    fi \
 && apt-get install -y -qq --no-install-recommends "postgresql-client${POSTGRES_CLIENT:+-$POSTGRES_CLIENT}" >/dev/null \
 && programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1) \
 && for program in "$programs/pg_dump" "$programs/pg_restore"; do \
      install -D "$program" "/native$program" || exit 1; \
      ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' \
        | grep -Ev '/lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+|ssl|crypto)\.so' \
        | while read -r library; do install -D "$library" "/native$(readlink -f "$(dirname "$library")")/$(basename "$library")" || exit 1; done \
        || exit 1; \
    done

COPY examples/ examples/
COPY sql/ sql/
COPY src/ src/
ARG VERSION=0.1.0
# ReadyToRun: compiled ahead of time, as a job that lasts a second should not spend half of it compiling itself (start to end of an idle
# job: 0.35 s without, 0.22 s with). Self-contained and composite would need 0.15 s, but two more minutes to build and some 25 MB, and
# .NET's security fixes would no longer come with the base image. Analyzers and warnings are the tests' business; a newer SDK must not
# break an old commit.
RUN dotnet publish src/SalesTasks --no-restore --configuration Release --use-current-runtime --no-self-contained --output /app \
    -p:PublishReadyToRun=true -p:Version="$VERSION" -p:ContinuousIntegrationBuild=true -p:GenerateDocumentationFile=false \
    -p:RunAnalyzers=false -p:TreatWarningsAsErrors=false

# What is in it, as a CycloneDX bill of materials: the packages whose files were published, with versions, licences and hashes. The tool would
# note the instant, and the solver's packages of all platforms.
COPY .config/ .config/
ARG CREATED=unknown
RUN dotnet tool restore \
    && foreign= \
    && for package in $(grep -oh 'Google\.OrTools\.runtime\.[a-z0-9-]*' src/SalesTasks/packages.lock.json | sort -u); do \
         grep -q "$package/" /app/sales-tasks.deps.json || foreign="$foreign$package,"; done \
    && dotnet dotnet-CycloneDX src/SalesTasks/SalesTasks.csproj --disable-package-restore --exclude-dev --exclude-filter "${foreign%,}" \
         --no-serial-number --set-name sales-tasks --set-version "$VERSION" --output /app --filename sbom.cdx.json --output-format Json \
    && sed -i "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$CREATED\"/" /app/sbom.cdx.json

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="SalesTasks" \
      org.opencontainers.image.description="Sales automation jobs for Airflow and PostgreSQL" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"
# Leads live in time zones; the slim runtime images leave the zone data out.
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /app /app
# What LightGBM loads and the slim runtime images lack (0.3 MB), and the two programs of backups.
COPY --from=build /native/ /
# No diagnostics socket in /tmp, so that the root file system can be read-only without any writable mount.
ENV DOTNET_EnableDiagnostics=0
# The `app` user of the official images, by number, so that runAsNonRoot can check it.
USER 1654:1654
WORKDIR /app
ENTRYPOINT ["/app/sales-tasks"]
