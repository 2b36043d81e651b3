# Written for a plain Docker engine, but never built where this project is developed: there is none there. Say if it fails.
FROM python:3.11-slim
RUN useradd --create-home --uid 10001 monitor
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN mkdir --mode=700 /data && chown monitor /data
USER monitor
ENV MDA5_STORE=/data/store
VOLUME /data
EXPOSE 8501
# Inside the container every address is listened on; compose.yaml opens the port to this machine alone.
CMD ["python", "-m", "streamlit", "run", "dashboard/app.py", "--server.address", "0.0.0.0", "--server.port", "8501"]
