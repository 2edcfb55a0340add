# klatch as an image: nothing but /klatch, so that other images can copy it.
#
#     COPY --from=IMAGE /klatch /klatch
#
# `deno task image` makes the context: docker build -f Dockerfile dist/image
# It also writes the same image without a container engine, for both platforms: dist/image/oci
FROM scratch
COPY klatch /klatch
ENV PATH=/klatch:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 65532:65532
ENTRYPOINT ["/klatch/klatch"]
