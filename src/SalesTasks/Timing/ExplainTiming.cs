using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Timing;

/// <summary>In <c>explain</c>: why the next contact is when it is.</summary>
internal static class ExplainTiming
{
    public static ExplainSection Section { get; } = new(
        "next_contact", (_, connection, lead, stop) => connection.ScalarStatementAsync<string>("timing/explain", [("lead", lead)], stop), Show);

    private static void Show(PeopleContext context, JsonElement next)
    {
        var channel = TimingTexts.Text(next, "channel") is { } name ? $" ({TimingTexts.Channel(context, name)})" : "";
        var at = next.GetProperty("at").GetDateTimeOffset();
        var zone = TimingTexts.Text(next, "time_zone");
        context.Host.Out.WriteLine(context.Text(
            $"Next contact{channel}: {at:yyyy-MM-dd HH:mm} UTC, {Local(context, next)} for the lead ({zone})",
            $"Próximo contacto{channel}: {at:yyyy-MM-dd HH:mm} UTC, {Local(context, next)} para el lead ({zone})"));
        if (next.GetProperty("overdue").GetBoolean())
        {
            context.Host.Out.WriteLine(context.Text("  Overdue.", "  Vencido."));
        }

        context.Host.Out.WriteLine("  " + Why(context, next));
        if (TimingTexts.IsNumber(next, "rate"))
        {
            context.Host.Out.WriteLine(
                context.Text("  Answers in that hour: ", "  Respuestas en esa hora: ") + TimingTexts.Rate(next, "rate")
                + FormattableString.Invariant(
                    $"; {context.Text("plain windows", "ventanas normales")} {100 * next.GetProperty("plain_rate").GetDouble():0.0} %; ")
                + context.Text("segment ", "segmento ") + TimingTexts.Segment(context, TimingTexts.Text(next, "profile")!));
        }

        if (TimingTexts.IsNumber(next, "interval_days"))
        {
            var days = next.GetProperty("interval_days");
            context.Host.Out.WriteLine(context.Text(
                $"  Followed up {days} days after a contact instead of 3.", $"  Seguimiento {days} días después de un contacto en vez de 3."));
        }
    }

    private static string Local(PeopleContext context, JsonElement next) =>
        $"{TimingTexts.Weekday(context, next.GetProperty("weekday").GetInt32())} {TimingTexts.Text(next, "local")}";

    private static string Why(PeopleContext context, JsonElement next)
    {
        if (!next.GetProperty("active").GetBoolean())
        {
            return context.Text("Plain window: ", "Ventana normal: ") + TimingTexts.State(context, TimingTexts.Text(next, "state")!, null);
        }

        if (TimingTexts.Text(next, "arm") == "control")
        {
            return context.Text(
                "Plain window: this lead is of the random control that the lift is measured against.",
                "Ventana normal: este lead es del grupo de control aleatorio con el que se mide la mejora.");
        }

        if (!next.GetProperty("moved").GetBoolean())
        {
            return context.Text("Plain time: nothing moved it.", "Hora normal: nada la movió.");
        }

        var from = next.GetProperty("plain_at").GetDateTimeOffset();
        return next.GetProperty("explores").GetBoolean()
            ? context.Text(
                $"Learned time, planned before for {from:yyyy-MM-dd HH:mm} UTC; this week the lead explores: its hour is drawn by how good each may be.",
                $"Hora aprendida, antes {from:yyyy-MM-dd HH:mm} UTC; esta semana el lead explora: su hora se sortea según lo buena que pueda ser cada una.")
            : context.Text(
                $"Learned time, planned before for {from:yyyy-MM-dd HH:mm} UTC.", $"Hora aprendida, antes {from:yyyy-MM-dd HH:mm} UTC.");
    }
}
