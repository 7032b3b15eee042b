using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Outbox;

/// <summary>In <c>explain</c>: what was sent about a lead, what waits, and what was held back.</summary>
internal static class ExplainMessages
{
    public static ExplainSection Section { get; } = new(
        "messages", (_, connection, lead, stop) => connection.ScalarStatementAsync<string>("outbox/explain", [("lead", lead)], stop), Show);

    private static void Show(PeopleContext context, JsonElement messages)
    {
        var table = new Table { Title = new TableTitle(context.Text("Latest messages", "Últimos mensajes")) };
        table.AddColumns(
            "Id", context.Text("Channel", "Canal"), context.Text("Purpose", "Motivo"), context.Text("State", "Estado"),
            context.Text("Sent or due (UTC)", "Enviado o previsto (UTC)"), context.Text("Reason", "Razón"));
        foreach (var message in messages.EnumerateArray())
        {
            var sent = message.GetProperty("sent_at");
            var at = (sent.ValueKind is JsonValueKind.Null ? message.GetProperty("not_before") : sent).GetDateTimeOffset();
            table.AddRow(
                $"{message.GetProperty("id").GetInt64()}", Word(context, message, "channel"), Word(context, message, "purpose"), Word(context, message, "status"),
                $"{at:yyyy-MM-dd HH:mm}", Word(context, message, "reason"));
        }

        context.Console.Write(table);
    }

    private static string Word(PeopleContext context, JsonElement message, string name) =>
        Visible.Markup(Words.Text(context, message.GetProperty(name).GetString() ?? ""));
}
