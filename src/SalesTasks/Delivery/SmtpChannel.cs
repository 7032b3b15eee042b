using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace SalesTasks.Delivery;

/// <summary>
/// E-mail by SMTP. The Message-ID is made from the idempotency key, so that a repeat can be recognised as one. A message counts as written
/// from the first byte of its DATA on: what fails before was surely not taken.
/// </summary>
internal sealed class SmtpChannel(SmtpSettings settings, UnsubscribeLink? unsubscribe, TimeSpan timeout, TimeProvider time) : IChannel
{
    private readonly ConcurrentBag<SmtpClient> _idle = [];

    public async Task<SendResult> SendAsync(OutboxMessage message, CancellationToken stop)
    {
        var (mail, fault) = Build(message);
        if (mail is null)
        {
            return SendResult.Permanent(fault!);
        }

        using (mail)
        using (var deadline = new CancellationTokenSource(timeout, time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop))
        {
            var reused = _idle.TryTake(out var client);
            client ??= new SmtpClient();
            var (result, keep) = await TryAsync(client, mail, deadline.Token, either.Token);
            if (reused && !keep && result is { Outcome: SendOutcome.Temporary, Status: null or 421 } && !either.IsCancellationRequested)
            {
                // The server had closed a connection that lay idle.
                client.Dispose();
                client = new SmtpClient();
                (result, keep) = await TryAsync(client, mail, deadline.Token, either.Token);
            }

            if (keep)
            {
                _idle.Add(client);
            }
            else
            {
                client.Dispose();
            }

            return result;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var client))
        {
            using (client)
            using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), time))
            {
                try
                {
                    await client.DisconnectAsync(quit: true, limit.Token);
                }
                catch (Exception exception) when (exception is IOException or SocketException or ProtocolException or OperationCanceledException)
                {
                    // Saying goodbye is a courtesy.
                }
            }
        }
    }

    private async Task<(SendResult Result, bool Keep)> TryAsync(
        SmtpClient client, MimeMessage mail, CancellationToken deadline, CancellationToken either)
    {
        var progress = new WrittenProgress();
        try
        {
            if (!client.IsConnected)
            {
                await ConnectAsync(client, either);
            }

            await client.SendAsync(mail, either, progress);
            return (SendResult.Sent((int)SmtpStatusCode.Ok), true);
        }
        catch (SmtpCommandException answer)
        {
            return (Judge(answer), client.IsConnected && answer.ErrorCode is not SmtpErrorCode.UnexpectedStatusCode);
        }
        catch (OperationCanceledException)
        {
            var why = deadline.IsCancellationRequested ? $"no answer within {timeout.TotalSeconds:0.###} s" : "stopped while sending";
            return (Unanswered(why, progress.WasWritten), false);
        }
        catch (BlockedAddressException)
        {
            return (SendResult.Refused("the mail server's address is link-local, a metadata service, unspecified or multicast: never sent to"), false);
        }
        catch (Exception exception) when (exception is SslHandshakeException or NotSupportedException)
        {
            return (
                SendResult.Refused("no trusted TLS connection to the mail server: check its certificate, its name, and whether it offers TLS"), false);
        }
        catch (Exception exception) when (exception is AuthenticationException or SaslException or ServiceNotAuthenticatedException)
        {
            return (SendResult.Refused("the mail server does not accept the credentials"), false);
        }
        catch (SocketException exception)
        {
            return (Unanswered($"network: {exception.SocketErrorCode}", progress.WasWritten), false);
        }
        catch (Exception exception) when (exception is IOException or ProtocolException or ServiceNotConnectedException)
        {
            return (Unanswered("network: the connection broke", progress.WasWritten), false);
        }
    }

    private async Task ConnectAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        client.Timeout = (int)timeout.TotalMilliseconds;
        var stream = await AddressGuard.ConnectAsync(new DnsEndPoint(settings.Host, settings.Port), cancellationToken);
        try
        {
            await client.ConnectAsync(stream, settings.Host, settings.Port, settings.Security, cancellationToken);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }

        if (settings is { Login: not null, Password: not null })
        {
            await client.AuthenticateAsync(settings.Login, settings.Password, cancellationToken);
        }
    }

    private static SendResult Unanswered(string why, bool written) => written
        ? SendResult.InDoubt($"{why}, after the message was written")
        : SendResult.Temporary($"{why}, before the message was written") with { CountsAgainstMessage = false };

    /// <summary>An answer of the server is a definite one: 4xx later, 5xx never. RFC 5321, section 4.2.1.</summary>
    private static SendResult Judge(SmtpCommandException answer)
    {
        var status = (int)answer.StatusCode;
        var who = answer.ErrorCode switch
        {
            SmtpErrorCode.RecipientNotAccepted => "the recipient is not accepted",
            SmtpErrorCode.SenderNotAccepted => "the sender is not accepted",
            SmtpErrorCode.MessageNotAccepted => "the message is not accepted",
            _ => "the mail server refuses",
        };
        return (status, answer.ErrorCode) switch
        {
            (530 or 534 or 535 or 538, _) => SendResult.Refused($"SMTP {status}: the mail server does not accept the credentials", status),
            // 421: the server is closing down or has had enough of us, which says nothing about the message.
            (421, _) => SendResult.Temporary("SMTP 421: the mail server is not available", status) with { CountsAgainstMessage = false },
            ( >= 500, SmtpErrorCode.SenderNotAccepted) => SendResult.Refused($"SMTP {status}: {who}", status),
            ( >= 500, _) => SendResult.Permanent($"SMTP {status}: {who}", status),
            _ => SendResult.Temporary($"SMTP {status}: {who}", status),
        };
    }

    private (MimeMessage? Mail, string? Fault) Build(OutboxMessage message)
    {
        using var document = JsonDocument.Parse(message.Payload);
        var payload = document.RootElement;
        if (payload.ValueKind != JsonValueKind.Object)
        {
            return (null, "its payload is no JSON object");
        }

        if (EmailContent.Fault(message, payload) is { } fault)
        {
            return (null, fault);
        }

        if (!MailboxAddress.TryParse(message.Recipient!, out var to) || !to.Address.Contains('@', StringComparison.Ordinal))
        {
            return (null, "its recipient is no e-mail address");
        }

        var body = new BodyBuilder { TextBody = MessageBody.Text(payload, "text"), HtmlBody = MessageBody.Text(payload, "html") };
        foreach (var attachment in message.Attachments)
        {
            if (!ContentType.TryParse(attachment.ContentType, out var type))
            {
                return (null, "an attachment's content_type cannot be read");
            }

            // In base64, which keeps every byte; as text its line ends would become those of mail.
            body.Attachments.Add(new MimePart(type)
            {
                Content = new MimeContent(new MemoryStream(attachment.Content, writable: false)),
                ContentDisposition = new ContentDisposition(ContentDisposition.Attachment),
                ContentTransferEncoding = ContentEncoding.Base64,
                FileName = attachment.Name,
            });
        }

        var mail = new MimeMessage
        {
            Subject = MessageBody.Text(payload, "subject")!.ReplaceLineEndings(" "),
            Date = time.GetUtcNow(),
            MessageId = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(message.IdempotencyKey)))[..40]}@{settings.Sender.Domain}",
            Body = body.ToMessageBody(),
        };
        mail.From.Add(settings.Sender);
        mail.To.Add(to);
        if (unsubscribe is not null && EmailContent.GoesToLead(message))
        {
            foreach (var (name, value) in unsubscribe.Headers(message.Recipient!))
            {
                mail.Headers.Add(name, value);
            }
        }

        return (mail, null);
    }

    /// <summary>MailKit reports here while it writes the message itself.</summary>
    private sealed class WrittenProgress : ITransferProgress
    {
        private volatile bool _written;

        public bool WasWritten => _written;

        public void Report(long bytesTransferred, long totalSize) => _written = true;

        public void Report(long bytesTransferred) => _written = true;
    }
}
