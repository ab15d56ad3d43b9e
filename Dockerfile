# docker build -t caveat . ; docker run --rm -v /scans:/in:ro -v /results:/out caveat predict BUNDLE -i /in -o /out/run1
# For processors; for NVIDIA cards leave out the line with PyTorch's CPU index, and run with --gpus all.
FROM python:3.11-slim
WORKDIR /build
COPY . .
RUN python -m venv /opt/caveat
RUN /opt/caveat/bin/python -m pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
RUN /opt/caveat/bin/python -m pip install --no-cache-dir -c constraints.txt ".[cluster,pacs]"
RUN useradd --create-home reader
USER reader
WORKDIR /home/reader
ENTRYPOINT ["/opt/caveat/bin/caveat"]
