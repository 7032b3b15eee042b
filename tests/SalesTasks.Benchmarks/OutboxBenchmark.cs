using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SalesTasks.Benchmarks;

/// <summary>
/// <c>outbox dispatch</c> of campaign e-mails (with their events, pipeline rows, caps and windows) to a receiver on this machine: many in
/// flight against one after the other, and a receiver that takes its time. Program, receiver and server share the cores.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class OutboxBenchmark
{
    private static readonly int[] s_concurrencies = [16, 32];

    public static async Task RunAsync(int messages, int rounds, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await bench.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('bench', 'email_sequence');
            UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '24:00'
            """,
            cancellationToken);
        Console.WriteLine($"\noutbox, {messages:N0} campaign e-mails");
        var sequential = new List<double>();
        foreach (var (delay, concurrencies) in (IEnumerable<(TimeSpan, int[])>)[(TimeSpan.Zero, s_concurrencies), (TimeSpan.FromMilliseconds(20), s_concurrencies)])
        {
            using var receiver = new Receiver(delay);
            bench.Connect("SALES_EMAIL_CONN_ID", "bench_email", $$"""{"conn_type": "http", "host": "http://127.0.0.1:{{receiver.Port}}", "extra": {"allow_http": true} }""");
            var figures = new Dictionary<int, List<double>>();
            var memory = 0L;
            for (var round = 0; round < rounds; round++)
            {
                // One after the other: fewer, because it takes as long as the receiver.
                var few = Math.Max(messages / (delay > TimeSpan.Zero ? 50 : 10), 100);
                sequential.Add(few / await SendAsync(1, few));
                foreach (var concurrency in concurrencies)
                {
                    (figures.TryGetValue(concurrency, out var list) ? list : figures[concurrency] = []).Add(messages / await SendAsync(concurrency, messages));
                }
            }

            Console.WriteLine($"  receiver answers after {delay.TotalMilliseconds:0} ms");
            Console.WriteLine($"    {"one after the other",-24} {Median.Of(sequential),8:N0} messages/s");
            foreach (var (concurrency, speeds) in figures)
            {
                Console.WriteLine(
                    $"    {concurrency + " in flight",-24} {Median.Of(speeds),8:N0} messages/s ({speeds.Min():N0} to {speeds.Max():N0}), {Median.Of(speeds) / Median.Of(sequential):0.0}x");
            }

            Console.WriteLine($"    peak memory {memory / 1e6:0} MB; {receiver.Count:N0} messages arrived, {receiver.Repeats:N0} of them twice");
            sequential.Clear();

            async Task<double> SendAsync(int concurrency, int count)
            {
                await LoadAsync(bench, count, cancellationToken);
                var measured = await bench.MeasureAsync(
                    async () => memory = Math.Max(memory, await bench.RunProgramAsync(
                        cancellationToken, "outbox", "dispatch", "--concurrency", $"{concurrency}", "--max-wait-seconds", "0")),
                    cancellationToken);
                var sent = await bench.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'sent'", cancellationToken);
                return sent == count ? measured.Seconds : throw new InvalidOperationException($"{sent} of {count} messages were sent.");
            }
        }
    }

    private static async Task LoadAsync(Bench bench, int messages, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync("TRUNCATE leads CASCADE", cancellationToken);
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, first_name, email) SELECT 'l' || i, 'web', 'Ana', 'u' || i || '@acme.example' FROM generate_series(1, {messages}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, email FROM leads;
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, total_steps)
              SELECT c.id, p.lead_ext_id, p.id, 3 FROM sales_campaigns c, sales_pipeline p;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type) SELECT id, lead_ext_id, 1, 'email_sent' FROM sales_campaign_executions;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient, payload)
              SELECT 'bench/' || e.id || '/' || extract(epoch FROM clock_timestamp()), 'email', 'campaign', e.lead_ext_id, e.execution_id, 1, e.id, l.email,
                jsonb_build_object('subject', 'Hello', 'text', repeat('Hello Ana, how are you? ', 20))
              FROM sales_campaign_events e JOIN leads l ON l.ext_id = e.lead_ext_id
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM ANALYZE", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>As little of an HTTP server as can be, so that it is the sender that is measured.</summary>
    private sealed class Receiver : IDisposable
    {
        private static readonly byte[] s_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray();

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TimeSpan _delay;
        private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
        private long _count;
        private long _repeats;

        public Receiver(TimeSpan delay)
        {
            _delay = delay;
            _listener.Start(512);
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public long Count => _count;

        public long Repeats => _repeats;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The measurement is over.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using var connection = client;
            client.NoDelay = true;
            var stream = client.GetStream();
            var buffer = new byte[64 * 1024];
            var length = 0;
            try
            {
                while (true)
                {
                    var head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
                    var end = head < 0 ? int.MaxValue : head + 4 + int.Parse(Header(buffer, head, "Content-Length: "), System.Globalization.NumberStyles.None, null);
                    if (length < end)
                    {
                        var read = await stream.ReadAsync(buffer.AsMemory(length));
                        if (read == 0)
                        {
                            return;
                        }

                        length += read;
                        continue;
                    }

                    lock (_keys)
                    {
                        _count++;
                        _repeats += _keys.Add(Header(buffer, head, "Idempotency-Key: ")) ? 0 : 1;
                    }

                    buffer.AsSpan(end, length - end).CopyTo(buffer);
                    length -= end;
                    if (_delay > TimeSpan.Zero)
                    {
                        await Task.Delay(_delay, TimeProvider.System, CancellationToken.None);
                    }

                    await stream.WriteAsync(s_answer);
                }
            }
            catch (IOException)
            {
                // The sender is gone.
            }
        }

        private static string Header(byte[] buffer, int head, string name)
        {
            var text = Encoding.ASCII.GetString(buffer, 0, head + 2);
            var at = text.IndexOf(name, StringComparison.Ordinal) + name.Length;
            return text[at..text.IndexOf('\r', at)];
        }
    }
}
