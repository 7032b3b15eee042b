using System.Text;
using Npgsql;

namespace SalesTasks.Cli;

/// <summary>What is told of an exception that nobody expected: never its message, which may quote data.</summary>
internal static class Defect
{
    /// <summary>Its type, and the server's SQLSTATE where it came from there.</summary>
    public static string Kind(Exception exception) =>
        exception is PostgresException answer ? $"{nameof(PostgresException)}, SQLSTATE {answer.SqlState}" : exception.GetType().Name;

    /// <summary>Types and frames of an exception and its causes.</summary>
    public static string Stack(Exception exception)
    {
        var text = new StringBuilder();
        for (var current = exception; current is not null; current = current.InnerException)
        {
            text.AppendLine(current.GetType().FullName).AppendLine(current.StackTrace);
        }

        return text.ToString();
    }
}
