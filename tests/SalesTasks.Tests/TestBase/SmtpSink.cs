using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SalesTasks.Tests.TestBase;

/// <summary>A message an <see cref="SmtpSink"/> has taken.</summary>
/// <param name="From">Envelope sender.</param>
/// <param name="To">Envelope recipient.</param>
/// <param name="Data">The message as it was sent, dots unstuffed.</param>
internal sealed record SmtpMail(string From, string To, string Data)
{
    /// <summary>A header's value, unfolded; null where it is not there.</summary>
    public string? Header(string name)
    {
        var head = Data[..(Data.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 2)].Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        return head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
    }
}

/// <summary>A mail server on the loopback interface that counts what it has taken (answered 250 to DATA, or would have).</summary>
internal sealed class SmtpSink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<SmtpMail> _mails = new();
    private readonly Func<string, string?> _answer;
    private readonly Task _accepting;
    private int _connections;

    /// <param name="answer">
    /// The answer to a command line (to <c>.</c> for the end of DATA) instead of the usual one; <c>close</c> closes the connection. Null:
    /// the usual one.
    /// </param>
    public SmtpSink(Func<string, string?>? answer = null)
    {
        _answer = answer ?? (static _ => null);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyList<SmtpMail> Mails => [.. _mails];

    public int Connections => _connections;

    /// <summary>An Airflow connection of type smtp without TLS to this sink.</summary>
    public string Connection(string fields = "", string extra = "") =>
        $$"""
        {"conn_type": "smtp", "host": "127.0.0.1", "port": {{Port}}{{fields}},
          "extra": {"from_email": "Sales <sales@acme.example>", "disable_tls": true, "disable_ssl": true{{extra}}} }
        """;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await TalkAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side went away, or the test is over.
            }
        }
    }

    private async Task TalkAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync(_answer("connect") ?? "220 sink");
        var (from, to) = ("", "");
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            var verb = line.Split(' ', ':')[0].ToUpperInvariant();
            if (verb == "MAIL")
            {
                from = line;
            }

            if (verb == "RCPT")
            {
                to = line;
            }

            var answer = _answer(line) ?? verb switch
            {
                "EHLO" => "250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
                "AUTH" => "235 welcome",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            if (answer == "close")
            {
                return;
            }

            await writer.WriteLineAsync(answer);
            if (verb == "QUIT")
            {
                return;
            }

            if (verb == "DATA" && answer.StartsWith("354", StringComparison.Ordinal) && !await DataAsync(reader, writer, from, to))
            {
                return;
            }
        }
    }

    private async Task<bool> DataAsync(StreamReader reader, StreamWriter writer, string from, string to)
    {
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            if (line == ".")
            {
                var answer = _answer(".") ?? "250 taken";
                if (answer.StartsWith('2') || answer == "close")
                {
                    _mails.Enqueue(new SmtpMail(from, to, data.ToString()));
                }

                if (answer == "close")
                {
                    return false;
                }

                await writer.WriteLineAsync(answer);
                return true;
            }

            data.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }

        return false;
    }
}
