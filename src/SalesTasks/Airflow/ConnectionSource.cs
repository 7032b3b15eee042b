namespace SalesTasks.Airflow;

/// <summary>Which connection is being read and where its text was found; every complaint about it names both.</summary>
/// <param name="Id">The Airflow connection id, for example <c>sales_postgres</c>.</param>
/// <param name="Place">For people: "environment variable AIRFLOW_CONN_SALES_POSTGRES" or "file /etc/connections.yaml".</param>
internal sealed record ConnectionSource(string Id, string Place)
{
    /// <summary>
    /// The error for a connection that cannot be read or used (64). It takes no inner exception on purpose: parsers quote their input, and
    /// the input is a secret.
    /// </summary>
    /// <param name="fault">What is wrong and what is allowed, without a full stop and without anything that may be secret.</param>
    public JobException Fault(string fault) => JobException.Usage($"Connection '{Id}' ({Place}): {fault}.");

    /// <summary>
    /// A key or a setting as it may appear in a message. Text that does not look like a plain word may be a secret that slipped out of its
    /// place (a forgotten quote is enough), so it is not shown.
    /// </summary>
    public static string Shown(string text) =>
        text.Length is > 0 and <= 40 && text.All(c => char.IsAsciiLetter(c) || c is '_' or '-') ? $"'{text}'" : "(not shown)";
}
