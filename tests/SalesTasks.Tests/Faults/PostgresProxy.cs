using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace SalesTasks.Tests.Faults;

/// <summary>
/// Stands between the program and PostgreSQL, reads the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html) and
/// counts events: each new connection, each request that the server answers with ReadyForQuery, each piece of a COPY's data. At one of them it
/// does what a <see cref="Fault"/> says. So a fault strikes at every statement boundary there is, and at the same one again.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly Lock _gate = new();
    private readonly HashSet<Session> _sessions = [];
    private readonly Task _accepting;
    private Fault _fault = Fault.Nothing;
    private int _events;
    private bool _gone;

    public PostgresProxy(NpgsqlConnectionStringBuilder server)
    {
        _server = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false };
        _listener.Start(64);
        _accepting = AcceptAsync();
    }

    /// <summary>How the program reaches the server.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Events since <see cref="Arm"/>.</summary>
    public int Events => Volatile.Read(ref _events);

    /// <summary>Whether the fault has struck.</summary>
    public bool Struck { get; private set; }

    /// <summary>Begins to count anew. What is still connected is cut.</summary>
    public void Arm(Fault fault)
    {
        lock (_gate)
        {
            foreach (var session in _sessions)
            {
                session.Cut();
            }

            (_fault, _events, _gone, Struck) = (fault, 0, false, false);
        }
    }

    /// <summary>From now on nothing gets through, as for a process that is dead.</summary>
    public void GoAway()
    {
        lock (_gate)
        {
            _gone = true;
            foreach (var session in _sessions)
            {
                session.Cut();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        GoAway();
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
                serving.RemoveAll(task => task.IsCompleted);
                serving.Add(ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        var session = new Session(this, client, server);
        lock (_gate)
        {
            if (_gone)
            {
                Session.Reset(client);
                return;
            }

            _sessions.Add(session);
        }

        try
        {
            await server.ConnectAsync(_server.Host!, _server.Port, _stop.Token);
            await session.RunAsync(_stop.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException
            or InvalidOperationException)
        {
            // One side went away, or the test is over.
        }
        finally
        {
            session.Cut();
            lock (_gate)
            {
                _sessions.Remove(session);
            }
        }
    }

    /// <summary>Counts an event; the fault, where it strikes now.</summary>
    private Fault Next()
    {
        lock (_gate)
        {
            _events++;
            if (_gone || Struck || _events != _fault.At)
            {
                return Fault.Nothing;
            }

            Struck = true;
            return _fault;
        }
    }

    private async Task TerminateAsync(int processId)
    {
        await using var connection = new NpgsqlConnection(_server.ConnectionString);
        await connection.OpenAsync(_stop.Token);
        await using var command = new NpgsqlCommand("SELECT pg_terminate_backend(@pid)", connection);
        command.Parameters.AddWithValue("pid", processId);
        await command.ExecuteScalarAsync(_stop.Token);
    }

    /// <summary>One connection of the program and the one to the server that belongs to it.</summary>
    private sealed class Session(PostgresProxy proxy, TcpClient client, TcpClient server)
    {
        private const int SslRequest = 80877103;
        private const int GssRequest = 80877104;
        private const int CancelRequest = 80877102;

        private NetworkStream _toServer = null!;
        private NetworkStream _toClient = null!;
        private int _processId;
        private bool _failed;
        private volatile bool _answerIsLost;
        private bool _goneAfter;
        private bool _terminated;
        private string? _sessionSql;

        /// <summary>Both ends see a broken connection.</summary>
        public void Cut()
        {
            Reset(client);
            Reset(server);
        }

        public static void Reset(TcpClient socket)
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or NullReferenceException)
            {
                // Closed already.
            }

            socket.Close();
        }

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            _toClient = client.GetStream();
            _toServer = server.GetStream();
            if (!await StartAsync(cancellationToken))
            {
                return;
            }

            var requests = RequestsAsync(cancellationToken);
            var answers = AnswersAsync(cancellationToken);
            await await Task.WhenAny(requests, answers);
            if (requests.IsCompletedSuccessfully)
            {
                // Said goodbye: the server closes.
                await answers;
            }

            Cut();
            foreach (var pump in (Task[])[requests, answers])
            {
                await pump.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }

        /// <summary>Up to the start-up message, which has no type.</summary>
        private async Task<bool> StartAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                var length = new byte[4];
                await _toClient.ReadExactlyAsync(length, cancellationToken);
                var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
                await _toClient.ReadExactlyAsync(rest, cancellationToken);
                byte[] message = [.. length, .. rest];
                switch (BinaryPrimitives.ReadInt32BigEndian(rest))
                {
                    case SslRequest or GssRequest:
                        await _toClient.WriteAsync("N"u8.ToArray(), cancellationToken);
                        break;
                    case CancelRequest:
                        await _toServer.WriteAsync(message, cancellationToken);
                        return false;
                    default:
                        return await AdmitAsync(message, cancellationToken);
                }
            }
        }

        private async Task<bool> AdmitAsync(byte[] startup, CancellationToken cancellationToken)
        {
            var fault = proxy.Next();
            switch (fault.Kind)
            {
                case FaultKind.None:
                    break;
                case FaultKind.Act:
                    await fault.Act();
                    break;
                case FaultKind.Gone or FaultKind.GoneAfter:
                    proxy.GoAway();
                    return false;
                case FaultKind.Error or FaultKind.Terminated:
                    // Too many connections, or starting up.
                    await _toClient.WriteAsync(
                        Message('E', $"SFATAL\0VFATAL\0C{(fault.Kind is FaultKind.Error ? "53300" : "57P03")}\0Mnot now\0\0"), cancellationToken);
                    return false;
                default:
                    return false;
            }

            await _toServer.WriteAsync(startup, cancellationToken);
            return true;
        }

        private async Task RequestsAsync(CancellationToken cancellationToken)
        {
            var reader = new MessageReader(_toClient);
            var batch = new MemoryStream();
            while (await reader.ReadAsync(cancellationToken) is { } message)
            {
                if (_terminated)
                {
                    // Else the server could take up the rest of a COPY, without the piece that is gone, before it heeds the signal.
                    continue;
                }

                batch.Write(message);
                switch ((char)message[0])
                {
                    case 'Q' or 'S' or 'F' or 'd' or 'c':
                        if (!await ForwardAsync(batch.ToArray(), (char)message[0], cancellationToken))
                        {
                            return;
                        }

                        batch.SetLength(0);
                        break;
                    case 'p' or 'H' or 'f' or 'X':
                        await _toServer.WriteAsync(batch.ToArray(), cancellationToken);
                        batch.SetLength(0);
                        break;
                    default:
                        break;
                }
            }

            // What the program sent last, its goodbye most often, the server still gets.
            server.Client.Shutdown(SocketShutdown.Send);
        }

        /// <returns>False where the connection is at its end.</returns>
        private async Task<bool> ForwardAsync(byte[] batch, char type, CancellationToken cancellationToken)
        {
            var fault = proxy.Next();
            switch (fault.Kind)
            {
                case FaultKind.RequestLost or FaultKind.Gone:
                    if (type is 'd')
                    {
                        await _toServer.WriteAsync(batch.AsMemory(0, batch.Length / 2), cancellationToken);
                    }

                    End(fault.Kind is FaultKind.Gone);
                    return false;
                // BEGIN does not fail; what is sent in its wake would be done outside the transaction. The end of one that has failed does not either.
                case FaultKind.Error when _failed || batch.AsSpan(5).StartsWith("BEGIN"u8):
                    End(everything: false);
                    return false;
                // A piece of COPY data and an answer that is not to come: there is none before the last piece.
                case FaultKind.AnswerLost or FaultKind.GoneAfter when type is 'd':
                    await _toServer.WriteAsync(batch, cancellationToken);
                    End(fault.Kind is FaultKind.GoneAfter);
                    return false;
                case FaultKind.AnswerLost or FaultKind.GoneAfter:
                    _goneAfter = fault.Kind is FaultKind.GoneAfter;
                    _answerIsLost = true;
                    break;
                case FaultKind.Error when type is 'd' or 'c':
                    batch = Message('f', "injected\0");
                    break;
                case FaultKind.Error:
                    batch = Message('Q', $"DO $$BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{fault.SqlState}'; END$$\0");
                    break;
                case FaultKind.Terminated:
                    // The server says why; what was asked does not reach it.
                    _terminated = true;
                    await proxy.TerminateAsync(_processId);
                    return true;
                case FaultKind.Act:
                    await fault.Act();
                    break;
                default:
                    break;
            }

            if (proxy._fault.SessionSql is { } sql && batch.AsSpan().IndexOf("client_connection_check_interval"u8) >= 0)
            {
                _sessionSql = sql;
            }

            await _toServer.WriteAsync(batch, cancellationToken);
            return true;
        }

        private async Task AnswersAsync(CancellationToken cancellationToken)
        {
            var swallow = false;
            var reader = new MessageReader(_toServer);
            var passing = new MemoryStream();
            while (true)
            {
                if (!reader.HasNext && passing.Length > 0)
                {
                    await _toClient.WriteAsync(passing.ToArray(), cancellationToken);
                    passing.SetLength(0);
                }

                if (await reader.ReadAsync(cancellationToken) is not { } message)
                {
                    return;
                }

                var type = (char)message[0];
                switch (type)
                {
                    case 'K':
                        _processId = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(5));
                        break;
                    case 'Z':
                        _failed = message[5] == 'E';
                        break;
                    default:
                        break;
                }

                if (_answerIsLost)
                {
                    if (type is 'Z' or 'G')
                    {
                        End(_goneAfter);
                        return;
                    }

                    continue;
                }

                if (type is 'Z' && swallow)
                {
                    swallow = false;
                }
                else if (type is 'Z' && _sessionSql is { } sql)
                {
                    // Our own statement; its ReadyForQuery stands for the one held back.
                    _sessionSql = null;
                    swallow = true;
                    await _toServer.WriteAsync(Message('Q', sql + "\0"), cancellationToken);
                    continue;
                }
                else if (swallow)
                {
                    continue;
                }

                passing.Write(message);
            }
        }

        private void End(bool everything)
        {
            if (everything)
            {
                proxy.GoAway();
            }

            Cut();
        }

        private static byte[] Message(char type, string body)
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            var message = new byte[5 + bytes.Length];
            message[0] = (byte)type;
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + bytes.Length);
            bytes.CopyTo(message, 5);
            return message;
        }
    }

    /// <summary>Takes messages of one type byte and a length off a stream.</summary>
    private sealed class MessageReader(NetworkStream stream)
    {
        private byte[] _buffer = new byte[16 * 1024];
        private int _start;
        private int _end;

        /// <summary>Whether a whole message is here already.</summary>
        public bool HasNext => _end - _start >= 5 && _end - _start >= Length;

        private int Length => 1 + BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + 1));

        /// <summary>The next message; null at the end.</summary>
        public async Task<byte[]?> ReadAsync(CancellationToken cancellationToken)
        {
            while (!HasNext)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
                if (_end == _buffer.Length)
                {
                    Array.Resize(ref _buffer, 2 * _end);
                }

                var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
                if (read == 0)
                {
                    return null;
                }

                _end += read;
            }

            var message = _buffer[_start..(_start + Length)];
            _start += message.Length;
            return message;
        }
    }
}
