using System.Globalization;

namespace SalesTasks.Reports;

/// <summary>A text in both languages.</summary>
internal sealed record Phrase(string English, string Spanish);

/// <summary>How a language writes texts, numbers and dates. The formats are ours and not those of an installed culture.</summary>
internal sealed class ReportLanguage
{
    private static readonly string[] s_english = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    private static readonly string[] s_spanish = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"];

    private static readonly Dictionary<string, Phrase> s_words = new(StringComparer.Ordinal)
    {
        ["qualified"] = new("Qualified", "Inicial"),
        ["contacted"] = new("Contacted", "Contactado"),
        ["meeting_scheduled"] = new("Meeting scheduled", "Reunión"),
        ["proposal_sent"] = new("Proposal sent", "Propuesta"),
        ["negotiating"] = new("Negotiating", "Negociación"),
        ["closed_won"] = new("Won", "Ganado"),
        ["closed_lost"] = new("Lost", "Perdido"),
        ["email"] = new("E-mail", "Correo"),
        ["call"] = new("Call", "Llamada"),
        ["meeting"] = new("Meeting", "Reunión"),
        ["proposal"] = new("Proposal", "Propuesta"),
        ["custom"] = new("Other", "Otra"),
        ["weighted_pipeline"] = new("Pipeline value, weighted", "Valor de la cartera, ponderado"),
        ["conversion_rate"] = new("Conversion rate", "Tasa de conversión"),
        ["win_rate"] = new("Win rate", "Tasa de éxito"),
        ["time_to_close"] = new("Time to close", "Tiempo hasta el cierre"),
        ["win_probability"] = new("Win probability", "Probabilidad de ganar"),
        ["deal_value"] = new("Deal value", "Valor"),
        ["risk"] = new("Risk", "Riesgo"),
        ["psi"] = new("Drift", "Deriva"),
        ["calibration"] = new("Calibration", "Calibración"),
        ["unmeasured"] = new("not measured yet", "aún sin medir"),
        ["stable"] = new("stable", "estable"),
        ["moderate"] = new("moderate", "moderado"),
        ["high"] = new("high", "alto"),
        ["unknown"] = new("too few deals", "muy pocas oportunidades"),
        ["conversion_drop"] = new("Conversion fell", "Cayó la conversión"),
        ["high_value_lead"] = new("High-value lead without follow-up", "Lead valioso sin seguimiento"),
        ["hot_lead_untouched"] = new("Hot lead untouched", "Lead caliente sin contactar"),
        ["job_failed"] = new("A job failed", "Falló un trabajo"),
        ["job_late"] = new("A job is late", "Un trabajo se retrasa"),
        ["job_lost"] = new("A job was lost", "Se perdió un trabajo"),
        ["messages_unsettled"] = new("Messages in doubt or dead", "Mensajes en duda o muertos"),
        ["model_stale"] = new("Model is old", "Modelo antiguo"),
        ["outbox_stuck"] = new("Messages wait too long", "Mensajes que esperan demasiado"),
        ["overdue_tasks"] = new("Overdue tasks", "Tareas atrasadas"),
        ["overloaded_rep"] = new("Overloaded representative", "Representante sobrecargado"),
        ["stale_lead"] = new("Silent lead", "Lead sin contacto"),
        ["impact_conversion"] = new("Conversion", "Conversión"),
        ["impact_win_rate"] = new("Win rate", "Tasa de éxito"),
        ["impact_hours_to_first_contact"] = new("Time to first contact", "Tiempo hasta el primer contacto"),
        ["impact_days_to_close"] = new("Time to close", "Tiempo hasta el cierre"),
        ["impact_revenue_per_lead"] = new("Value won per lead", "Valor ganado por lead"),
        ["impact_tasks_on_time"] = new("Tasks completed on time", "Tareas completadas a tiempo"),
        ["impact_abandoned"] = new("Abandoned leads", "Leads abandonados"),
        ["verdict_toosmall"] = new("too few leads", "muy pocos leads"),
        ["verdict_unclear"] = new("not clear yet", "aún no claro"),
        ["verdict_better"] = new("better", "mejor"),
        ["verdict_worse"] = new("worse", "peor"),
        ["tasks_on_time"] = new("Tasks completed on time", "Tareas completadas a tiempo"),
    };

    private readonly NumberFormatInfo _numbers = (NumberFormatInfo)NumberFormatInfo.InvariantInfo.Clone();
    private readonly string[] _months;

    private ReportLanguage(string code)
    {
        Code = code;
        _months = code == "es" ? s_spanish : s_english;
        if (code == "es")
        {
            _numbers.NumberGroupSeparator = ".";
            _numbers.NumberDecimalSeparator = ",";
        }
    }

    public static ReportLanguage English { get; } = new("en");

    public static ReportLanguage Spanish { get; } = new("es");

    /// <summary>en or es.</summary>
    public string Code { get; }

    public static ReportLanguage Of(string code) => code == "es" ? Spanish : English;

    public string Text(Phrase phrase) => Code == "es" ? phrase.Spanish : phrase.English;

    public string Text(string english, string spanish) => Code == "es" ? spanish : english;

    /// <summary>A word of ours that stands in the data, such as a stage; another word is itself.</summary>
    public string Word(string word) => s_words.TryGetValue(word, out var phrase) ? Text(phrase) : word;

    public string Count(double value) => value.ToString("#,##0", _numbers);

    public string Decimal(double value, int digits = 1) => value.ToString("N" + digits.ToString(CultureInfo.InvariantCulture), _numbers);

    /// <summary>An amount; the unit of money is that of the data.</summary>
    public string Money(double value) => value.ToString("#,##0", _numbers);

    /// <summary>An amount on an axis: 12k, 1.5M.</summary>
    public string ShortMoney(double value) => value switch
    {
        >= 1e9 => (value / 1e9).ToString("#,##0.##", _numbers) + (Code == "es" ? "mM" : "bn"),
        >= 1e6 => (value / 1e6).ToString("#,##0.##", _numbers) + "M",
        >= 1e3 => (value / 1e3).ToString("#,##0.##", _numbers) + "k",
        _ => value.ToString("#,##0.##", _numbers),
    };

    public string Share(double value) => (value * 100).ToString("0.0", _numbers) + "\u00a0%";

    /// <summary>A share on an axis: 25 %.</summary>
    public string AxisShare(double value) => (value * 100).ToString("0.#", _numbers) + " %";

    public string Days(double value) => value.ToString("0.0", _numbers) + Text(" days", " días");

    public string Hours(double value) => value.ToString("#,##0.0", _numbers) + Text(" hours", " horas");

    public string Date(DateTimeOffset date) => string.Create(CultureInfo.InvariantCulture, $"{date.Day} {_months[date.Month - 1]} {date.Year}");

    /// <summary>A period in a table or on an axis: W11, or Mar 26.</summary>
    public string ShortPeriod(ReportPeriod period) => period.Type == ReportPeriod.Weekly
        ? Text("W", "S") + period.Id[^2..]
        : string.Create(CultureInfo.InvariantCulture, $"{_months[period.Start.Month - 1]} {period.Start.Year % 100:00}");

    /// <summary>A period in full: week 11 of 2026 (9 Mar 2026 – 15 Mar 2026).</summary>
    public string LongPeriod(ReportPeriod period) => period.Type == ReportPeriod.Weekly
        ? Text($"Week {period.Id[^2..]} of {period.Id[..4]}", $"Semana {period.Id[^2..]} de {period.Id[..4]}") + $" ({Date(period.Start)} – {Date(period.LastDay)})"
        : string.Create(CultureInfo.InvariantCulture, $"{_months[period.Start.Month - 1]} {period.Start.Year}");
}
