package bitacora.bench;

import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Runs Debezium's engine until a number of row events has reached a consumer that only counts, and prints one JSON line.
 *
 * <pre>Peer CONFIG STATE_FOLDER EVENT_COUNT DEADLINE_SECONDS</pre>
 *
 * Offsets and schema history live in STATE_FOLDER, so a second run continues where the first one ended. "rate" is taken
 * between the first and the last event; "start_ms" from the start of the JVM to the first event; latencies from the
 * commit time that the server wrote into the log (source.ts_us) to the consumer.
 */
public final class Peer {
    private static final String COMMIT_TIME = "\"ts_us\":";

    private final long wanted;
    private final CountDownLatch finished = new CountDownLatch(1);
    private final long[] latenciesUs;
    private long count;
    private long bytes;
    private long firstAt;
    private long lastAt;
    private volatile String failure;

    private Peer(long wanted) {
        this.wanted = wanted;
        this.latenciesUs = new long[(int) Math.min(wanted, 100_000)];
    }

    public static void main(String[] arguments) throws Exception {
        long jvmStart = ManagementFactory.getRuntimeMXBean().getStartTime();
        Properties config = new Properties();
        try (InputStream in = Files.newInputStream(Path.of(arguments[0]))) {
            config.load(in);
        }
        Path state = Files.createDirectories(Path.of(arguments[1]));
        config.putIfAbsent("name", "peer");
        config.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
        config.setProperty("offset.storage.file.filename", state.resolve("offsets").toString());
        config.setProperty("offset.flush.interval.ms", "200");
        config.setProperty("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory");
        config.setProperty("schema.history.internal.file.filename", state.resolve("history").toString());

        Peer peer = new Peer(Long.parseLong(arguments[2]));
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class, Json.class)
                .using(config)
                .using((success, message, error) -> {
                    if (!success) {
                        peer.failure = message + (error == null ? "" : ": " + error);
                    }
                    peer.finished.countDown();
                })
                .notifying(peer::take)
                .build();
        ExecutorService runner = Executors.newSingleThreadExecutor();
        runner.execute(engine);
        boolean inTime = peer.finished.await(Long.parseLong(arguments[3]), TimeUnit.SECONDS);
        if (peer.failure != null || !inTime) {
            System.err.println("peer: " + (peer.failure != null ? peer.failure : "only " + peer.count + " events in time"));
            Runtime.getRuntime().halt(1);
        }
        String report = peer.report(jvmStart);
        if (Boolean.getBoolean("orderly")) { // lets the engine store its offsets; not part of a timed run
            engine.close();
            runner.shutdown();
            runner.awaitTermination(60, TimeUnit.SECONDS);
        }
        System.out.println(report);
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private void take(List<ChangeEvent<String, String>> events, DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer)
            throws InterruptedException {
        for (ChangeEvent<String, String> event : events) {
            String value = event.value();
            if (value != null && value.contains("\"op\":")) { // row events; DDL events have no "op"
                if (count == 0) {
                    firstAt = System.currentTimeMillis();
                }
                if (count < latenciesUs.length) {
                    latenciesUs[(int) count] = nowUs() - commitTimeUs(value);
                }
                count++;
                bytes += value.length();
            }
            committer.markProcessed(event);
        }
        committer.markBatchFinished();
        lastAt = System.currentTimeMillis();
        if (count >= wanted) {
            finished.countDown();
        }
    }

    private static long nowUs() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
    }

    /** The first ts_us of an envelope that is found belongs to its source block. */
    private static long commitTimeUs(String value) {
        int at = value.indexOf(COMMIT_TIME);
        if (at < 0) {
            return 0;
        }
        at += COMMIT_TIME.length();
        int end = at;
        while (Character.isDigit(value.charAt(end))) {
            end++;
        }
        return Long.parseLong(value.substring(at, end));
    }

    private String report(long jvmStart) throws Exception {
        double seconds = Math.max(lastAt - firstAt, 1) / 1000.0;
        long[] latencies = Arrays.copyOf(latenciesUs, (int) Math.min(count, latenciesUs.length));
        Arrays.sort(latencies);
        return String.format(Locale.ROOT,
                "{\"events\": %d, \"rate\": %.0f, \"event_bytes\": %d, \"start_ms\": %d, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"peak_bytes\": %d}",
                count, count / seconds, bytes / count, firstAt - jvmStart, quantile(latencies, 0.50), quantile(latencies, 0.99), peakBytes());
    }

    private static double quantile(long[] sorted, double q) {
        return sorted[(int) Math.min(sorted.length - 1, (long) (sorted.length * q))] / 1000.0;
    }

    private static long peakBytes() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
            }
        }
        return 0;
    }
}
