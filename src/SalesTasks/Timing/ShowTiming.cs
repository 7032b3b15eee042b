using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Timing;

/// <summary><c>timing show</c>: where learning stands, the best hours of each segment, the intervals, and what all of it has gained.</summary>
internal static class ShowTiming
{
    private const string Description = "Show the best hours by segment and channel, the intervals, the lift and the state";

    public static PeopleCommand Create() => new("show", Description, async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        await using var connection = await database.OpenAsync(stop);
        var json = (await connection.ScalarStatementAsync<string>("timing/show", [], stop))!;
        if (context.Json)
        {
            context.Host.Out.WriteLine(json);
            return ExitCode.Done;
        }

        using var document = JsonDocument.Parse(json);
        Show(context, document.RootElement);
        return ExitCode.Done;
    });

    private static void Show(PeopleContext context, JsonElement timing)
    {
        var output = context.Host.Out;
        output.WriteLine(
            context.Text("Timing ", "Horarios: ") + TimingTexts.State(context, TimingTexts.Text(timing, "state")!, TimingTexts.Text(timing, "reason")));
        if (timing.GetProperty("analyzed_at") is { ValueKind: JsonValueKind.String } analyzed)
        {
            var (at, attempts, days) = (analyzed.GetDateTimeOffset(), timing.GetProperty("attempts"), timing.GetProperty("analysis_days"));
            output.WriteLine(context.Text(
                $"Analysed {at:yyyy-MM-dd HH:mm} UTC: {attempts} attempts of {days} days",
                $"Analizado el {at:yyyy-MM-dd HH:mm} UTC: {attempts} intentos de {days} días"));
        }

        ShowLift(context, timing.GetProperty("lift"));
        var profiles = timing.GetProperty("profiles").EnumerateArray().ToList();
        if (profiles.Count > 0)
        {
            ShowProfiles(context, profiles);
        }

        var intervals = timing.GetProperty("intervals").EnumerateArray().Where(i => i.GetProperty("credible").GetBoolean()).ToList();
        foreach (var interval in intervals)
        {
            var (segment, days) = (TimingTexts.Segment(context, TimingTexts.Text(interval, "segment")!), interval.GetProperty("interval_days"));
            double Gain(string name) => interval.GetProperty(name).GetDouble();
            output.WriteLine(
                context.Text($"Follow-up of {segment} after {days} days instead of 3: ", $"Seguimiento de {segment} a los {days} días en vez de 3: ")
                + FormattableString.Invariant($"× {Gain("gain"):0.00} [{Gain("gain_low"):0.00}–{Gain("gain_high"):0.00}]"));
        }

        if (profiles.Count > 0 && intervals.Count == 0)
        {
            output.WriteLine(context.Text(
                "Follow-up after the plain 3 days: no other interval is credibly better.",
                "Seguimiento a los 3 días normales: ningún otro intervalo es mejor de forma creíble."));
        }
    }

    private static void ShowLift(PeopleContext context, JsonElement lift)
    {
        if (lift.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var shares = FormattableString.Invariant(
            $"{100 * lift.GetProperty("treated_rate").GetDouble():0.0} % / {100 * lift.GetProperty("control_rate").GetDouble():0.0} %");
        var leads = $"{lift.GetProperty("treated_leads")} / {lift.GetProperty("control_leads")}";
        context.Host.Out.WriteLine(
            context.Text($"Answers, treated / control: {shares} of {leads} leads", $"Respuestas, tratados / control: {shares} de {leads} leads")
            + (TimingTexts.IsNumber(lift, "difference")
                ? context.Text($"; lift {TimingTexts.Rate(lift, "difference")}", $"; mejora {TimingTexts.Rate(lift, "difference")}")
                : context.Text("; too few to tell the lift", "; demasiado pocos para saber la mejora")));
    }

    private static void ShowProfiles(PeopleContext context, List<JsonElement> profiles)
    {
        var table = new Table()
            .Title(context.Text(
                "Rates of answers with 90 % intervals, on the lead's clock", "Tasas de respuesta con intervalos del 90 %, en la hora del lead"))
            .AddColumns(
                context.Text("Channel", "Canal"), context.Text("Segment", "Segmento"), context.Text("Leads", "Leads"), context.Text("Plain", "Normal"),
                context.Text("Best", "Mejor"), context.Text("Second", "Segunda"), context.Text("Third", "Tercera"));
        foreach (var profile in profiles)
        {
            var best = profile.GetProperty("best").EnumerateArray()
                .Select(s => FormattableString.Invariant(
                    $"{TimingTexts.Weekday(context, s.GetProperty("weekday").GetInt32())} {s.GetProperty("hour").GetInt32():00}:00 ") + TimingTexts.Rate(s, "rate"))
                .ToList();
            table.AddRow(
                TimingTexts.Channel(context, TimingTexts.Text(profile, "channel")!),
                Markup.Escape(TimingTexts.Segment(context, TimingTexts.Text(profile, "segment")!)),
                FormattableString.Invariant($"{profile.GetProperty("leads").GetDouble():0}"),
                FormattableString.Invariant($"{100 * profile.GetProperty("plain_rate").GetDouble():0.0} %"),
                Markup.Escape(best.ElementAtOrDefault(0) ?? context.Text("none credible", "ninguna creíble")), Markup.Escape(best.ElementAtOrDefault(1) ?? ""),
                Markup.Escape(best.ElementAtOrDefault(2) ?? ""));
        }

        context.Console.Write(table);
    }
}
