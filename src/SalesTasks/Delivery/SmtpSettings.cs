using MailKit.Security;
using MimeKit;
using SalesTasks.Airflow;

namespace SalesTasks.Delivery;

/// <summary>An Airflow connection of type <c>smtp</c>.</summary>
/// <param name="Receiver">What every channel knows.</param>
/// <param name="Host">The mail server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Security">TLS from the start, after STARTTLS, or none.</param>
/// <param name="Login">User; null: no authentication.</param>
/// <param name="Password">Its password.</param>
/// <param name="Sender">The sender of every message.</param>
internal sealed record SmtpSettings(
    ReceiverSettings Receiver, string Host, int Port, SecureSocketOptions Security, string? Login, string? Password, MailboxAddress Sender)
{
    private const int TlsPort = 465;
    private const int SubmissionPort = 587;

    /// <summary>
    /// As Airflow's mail hook reads it: <c>disable_ssl</c> means no TLS from the start, <c>disable_tls</c> no STARTTLS. Where neither is
    /// given, port 465 and no port mean TLS from the start, any other port STARTTLS; a server that does not offer it is refused.
    /// </summary>
    /// <exception cref="JobException">64: no host, no sender, or a wrong extra.</exception>
    public static SmtpSettings From(AirflowConnection connection)
    {
        var receiver = ReceiverSettings.From(
            connection, ["from_email", "disable_tls", "disable_ssl", "unsubscribe_url", "timeout", "retry_limit"]);
        var extra = connection.ExtraFields;
        if (string.IsNullOrEmpty(connection.Host))
        {
            throw connection.Source.Fault("it has no host");
        }

        var noStartTls = ReceiverSettings.Flag(connection, extra, "disable_tls");
        var noTls = ReceiverSettings.Flag(connection, extra, "disable_ssl");
        var security = (noTls, noStartTls) switch
        {
            (true, true) => SecureSocketOptions.None,
            (true, false) => SecureSocketOptions.StartTls,
            (false, true) => SecureSocketOptions.SslOnConnect,
            _ => connection.Port is null or TlsPort ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls,
        };
        var sender = extra.GetValueOrDefault("from_email")
            ?? (connection.Login?.Contains('@', StringComparison.Ordinal) is true ? connection.Login : null)
            ?? throw connection.Source.Fault("its extra from_email is missing: the sender's address");
        if (!MailboxAddress.TryParse(sender, out var from) || !from.Address.Contains('@', StringComparison.Ordinal))
        {
            throw connection.Source.Fault("its extra from_email is no e-mail address");
        }

        return new SmtpSettings(
            receiver,
            connection.Host,
            connection.Port ?? (security == SecureSocketOptions.SslOnConnect ? TlsPort : SubmissionPort),
            security,
            string.IsNullOrEmpty(connection.Login) || connection.Password is null ? null : connection.Login,
            connection.Password,
            from);
    }
}
