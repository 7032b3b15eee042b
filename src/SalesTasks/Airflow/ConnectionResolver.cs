namespace SalesTasks.Airflow;

/// <summary>
/// Finds a connection by id where Airflow would look without its database: the environment variable <c>AIRFLOW_CONN_</c> + id in capitals,
/// else the file named by <c>SALES_CONNECTIONS_FILE</c>.
/// </summary>
/// <param name="environment">The value of an environment variable, null when unset.</param>
internal sealed class ConnectionResolver(Func<string, string?> environment)
{
    public const string FileVariable = "SALES_CONNECTIONS_FILE";
    private const string Prefix = "AIRFLOW_CONN_";
    private const int MaxIdLength = 250;

    /// <summary>The connection of that id.</summary>
    /// <exception cref="JobException">
    /// Not defined (names the id, both places and what to do), or not readable (names the id, the place and the fault, never a secret).
    /// </exception>
    public AirflowConnection Resolve(string id)
    {
        CheckId(id);
        var variable = Prefix + id.ToUpperInvariant();
        if (environment(variable) is { } text && !string.IsNullOrWhiteSpace(text))
        {
            return AirflowConnection.Parse(new ConnectionSource(id, $"environment variable {variable}"), text);
        }

        var path = environment(FileVariable);
        var found = string.IsNullOrWhiteSpace(path)
            ? null
            : ConnectionFile.Find(new ConnectionSource(id, $"file {path}, named by {FileVariable}"), path);
        var fileState = string.IsNullOrWhiteSpace(path) ? $"{FileVariable} names no file" : $"{path} ({FileVariable}) does not define it";
        return found ?? throw JobException.Usage(
            $"Connection '{id}' is not defined: the environment variable {variable} is not set or empty, and {fileState}. "
            + $"Set {variable} to a URI (type://login:password@host:port/schema, each part percent-encoded) or to JSON, "
            + $"or define '{id}' in a file (.env, .json, .yaml) and set {FileVariable} to its path.");
    }

    /// <summary>
    /// An id is printed in every message, so what people put there by mistake must not pass: a URI with its password, for example.
    /// </summary>
    private static void CheckId(string id)
    {
        if (id.Length is 0 or > MaxIdLength || id.Contains("://", StringComparison.Ordinal)
            || !id.All(c => char.IsLetterOrDigit(c) || "_-.:#!()/\\".Contains(c, StringComparison.Ordinal)))
        {
            throw JobException.Usage(
                $"A connection id must have 1 to {MaxIdLength} characters (letters, digits, _ - . : # ! ( ) / \\) and be no URI. "
                + "The one given is not shown because it may hold a password. Put the URI into AIRFLOW_CONN_<ID> and give that id.");
        }
    }
}
