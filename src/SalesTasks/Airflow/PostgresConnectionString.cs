using System.Globalization;
using Npgsql;

namespace SalesTasks.Airflow;

/// <summary>
/// Turns an Airflow <c>postgres</c> connection into Npgsql settings. Its extras are libpq parameters, as for Airflow's own PostgresHook
/// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS); what Npgsql cannot do is refused, not dropped.
/// </summary>
internal static class PostgresConnectionString
{
    private const string Allowed =
        "sslmode, sslrootcert, sslcert, sslkey, sslpassword, sslnegotiation, channel_binding, gssencmode, connect_timeout, "
        + "application_name, fallback_application_name, options, target_session_attrs, client_encoding, keepalives, keepalives_idle, "
        + "keepalives_interval, keepalives_count, tcp_user_timeout, cursor";

    private const string SystemRoots = "system";

    /// <summary>Npgsql's limit on its connection timeout, seconds.</summary>
    private const int MaxTimeout = 1024;

    /// <summary>The settings to open a data source with; whoever opens it adds pooling and session settings.</summary>
    /// <exception cref="JobException">Not usable; names the connection, the setting and what is allowed.</exception>
    public static NpgsqlConnectionStringBuilder From(AirflowConnection connection)
    {
        var source = connection.Source;
        if (!string.Equals(connection.Type, "postgres", StringComparison.Ordinal))
        {
            throw source.Fault($"its type is {ConnectionSource.Shown(connection.Type)} but must be 'postgres'");
        }

        var extras = connection.ExtraFields;
        string?[] texts = [connection.Host, connection.Login, connection.Password, connection.Schema, .. extras.Values];
        if (texts.Any(text => text?.Contains('\0', StringComparison.Ordinal) == true))
        {
            throw source.Fault("it holds a NUL character (%00), which PostgreSQL cannot take");
        }

        if (connection.Port == 0)
        {
            throw source.Fault("its port is 0; allowed: 1 to 65535, or none for 5432");
        }

        var login = NullIfEmpty(connection.Login);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = Host(source, connection.Host),
            Port = connection.Port ?? NpgsqlConnection.DefaultPort,
            Username = login,
            Password = connection.Password,
            Database = NullIfEmpty(connection.Schema) ?? login,
            // Npgsql would try Kerberos first, which costs a library load at every start and complains on images without it.
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        foreach (var (name, value) in extras)
        {
            Apply(source, settings, name, value);
        }

        FollowLibpqOnRootCertificate(source, settings, extras);
        return settings;
    }

    private static string Host(ConnectionSource source, string? host)
    {
        if (string.IsNullOrWhiteSpace(host))
        {
            throw source.Fault("it has no host; give a name, an address, or a socket directory (in a URI: %2Fvar%2Frun%2Fpostgresql)");
        }

        // One colon would be read as host:port by Npgsql; two or more are an IPv6 address.
        return host.Split(',').Any(part => part.Count(c => c == ':') == 1 || part.Contains("://", StringComparison.Ordinal))
            ? throw source.Fault("its host must be without a protocol and without a port; the port has its own field")
            : host;
    }

    private static void Apply(ConnectionSource source, NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        switch (name)
        {
            case "sslmode":
                settings.SslMode = Choice<SslMode>(
                    source, name, value, "disable", "allow", "prefer", "require", "verify-ca", "verify-full");
                break;
            case "sslrootcert":
                settings.RootCertificate = value is SystemRoots ? null : FilePath(source, name, value);
                break;
            case "sslcert":
                settings.SslCertificate = FilePath(source, name, value);
                break;
            case "sslkey":
                settings.SslKey = FilePath(source, name, value);
                break;
            case "sslpassword":
                settings.SslPassword = value;
                break;
            case "sslnegotiation":
                settings.SslNegotiation = Choice<SslNegotiation>(source, name, value, "postgres", "direct");
                break;
            case "channel_binding":
                settings.ChannelBinding = Choice<ChannelBinding>(source, name, value, "disable", "prefer", "require");
                break;
            case "gssencmode":
                settings.GssEncryptionMode = Choice<GssEncryptionMode>(source, name, value, "disable", "prefer", "require");
                break;
            case "connect_timeout":
                settings.Timeout = Seconds(source, name, value);
                break;
            case "application_name":
                settings.ApplicationName = value;
                break;
            case "fallback_application_name":
                settings.ApplicationName ??= value;
                break;
            case "options":
                settings.Options = value;
                break;
            case "target_session_attrs":
                ApplyTarget(source, settings, name, value);
                break;
            case "client_encoding" when value.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant() is "UTF8" or "UNICODE":
                break;
            case "client_encoding":
                throw source.Fault("its extra 'client_encoding' must be UTF8");
            case "keepalives" or "keepalives_idle" or "keepalives_interval" or "keepalives_count" or "tcp_user_timeout":
                // Dead peers are noticed by the time-outs every session gets.
                break;
            case "cursor":
                // A class of Python's driver.
                break;
            case "iam" or "redshift" when value is "false":
                break;
            case "iam" or "redshift":
                throw source.Fault($"its extra '{name}' asks for an AWS token as password, which is not supported; use login and password");
            default:
                throw source.Fault($"its extra {ConnectionSource.Shown(name)} is not known; allowed: {Allowed}");
        }
    }

    private static void ApplyTarget(ConnectionSource source, NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        _ = Choice<TargetSessionAttributes>(
            source, name, value, "any", "read-write", "read-only", "primary", "standby", "prefer-standby");
        if (settings.Host!.Contains(',', StringComparison.Ordinal))
        {
            settings.TargetSessionAttributes = value;
        }
        else if (value is not ("any" or "prefer-standby"))
        {
            throw source.Fault($"its extra '{name}' is '{value}', which needs several hosts (host: first,second); allowed with one: any");
        }
    }

    /// <summary>
    /// libpq verifies the server whenever it is given a root certificate, so <c>require</c> becomes <c>verify-ca</c>; and the system's
    /// roots are public, so they come with <c>verify-full</c> or not at all.
    /// </summary>
    private static void FollowLibpqOnRootCertificate(
        ConnectionSource source, NpgsqlConnectionStringBuilder settings, IReadOnlyDictionary<string, string> extras)
    {
        if (extras.GetValueOrDefault("sslrootcert") is SystemRoots)
        {
            settings.SslMode = !extras.ContainsKey("sslmode") || settings.SslMode == SslMode.VerifyFull
                ? SslMode.VerifyFull
                : throw source.Fault("its extra 'sslrootcert' is 'system', which needs sslmode verify-full");
        }
        else if (settings.RootCertificate is not null && settings.SslMode == SslMode.Require)
        {
            settings.SslMode = SslMode.VerifyCA;
        }

        if (settings.SslNegotiation == SslNegotiation.Direct && settings.SslMode < SslMode.Require)
        {
            throw source.Fault("its extra 'sslnegotiation' is 'direct', which needs sslmode require, verify-ca or verify-full");
        }
    }

    private static T Choice<T>(ConnectionSource source, string name, string value, params string[] allowed)
        where T : struct, Enum =>
        allowed.Contains(value, StringComparer.Ordinal)
            ? Enum.Parse<T>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true)
            : throw source.Fault($"its extra '{name}' is {ConnectionSource.Shown(value)}; allowed: {string.Join(", ", allowed)}");

    /// <summary>libpq takes zero and less as "wait for ever", which is 0 for Npgsql.</summary>
    private static int Seconds(ConnectionSource source, string name, string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) && seconds <= MaxTimeout
            ? Math.Max(seconds, 0)
            : throw source.Fault($"its extra '{name}' must be a whole number of seconds up to {MaxTimeout}, 0 for no limit");

    /// <summary>The path is not shown: people paste the key itself there.</summary>
    private static string FilePath(ConnectionSource source, string name, string value) =>
        File.Exists(value) ? value : throw source.Fault($"its extra '{name}' is not the path of a file that can be seen");

    private static string? NullIfEmpty(string? text) => text is { Length: > 0 } ? text : null;
}
