using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Predicting;

/// <summary>What a rep should do next about a deal, and the fact that speaks for it. Both are codes; <see cref="Recommendations.Text"/> has the words.</summary>
internal readonly record struct Recommendation(string Code, string Reason);

/// <summary>
/// Rules over what is known of deals, what weighs against them in the model, and the learned days between contacts. The same facts give the same
/// recommendations; at most three, the most urgent first.
/// </summary>
internal sealed class Recommendations(DataTable table, IReadOnlyList<string> columns)
{
    private const int Most = 3;

    /// <summary>An answer to interest counts within so many days.</summary>
    private const double Fresh = 2;

    /// <summary>Days between contacts where nothing was learned about the lead.</summary>
    private const double UsualInterval = 7;

    /// <summary>Days in a stage after which it is time to ask.</summary>
    private const double LongInStage = 14;

    /// <summary>Log-odds that weigh visibly: a probability of 50 % becomes one of 43 %.</summary>
    private const double Weighty = -0.3;

    private readonly Dictionary<string, float[]> _numbers =
        table.Columns.OfType<NumberColumn>().ToDictionary(c => c.Name, c => c.Values, StringComparer.Ordinal);

    private readonly CategoryColumn _stages = table.Columns.OfType<CategoryColumn>().Single(c => c.Name == Training.DealSnapshots.StageColumn);

    /// <param name="row">The deal.</param>
    /// <param name="outlook">What is expected of it.</param>
    /// <param name="intervalDays">Its learned days from one contact to the next.</param>
    public IReadOnlyList<Recommendation> For(int row, Outlook outlook, double? intervalDays)
    {
        var stage = _stages.Levels[_stages.Codes[row]];
        double Of(string name) => _numbers[name][row];
        var silent = Of("days_since_contact");
        var quiet = Of("days_since_engagement");
        var inStage = Of("days_in_stage");
        var found = new List<Recommendation>();
        void Add(bool holds, string code, string reason)
        {
            if (holds && found.TrueForAll(r => r.Code != code))
            {
                found.Add(new Recommendation(code, reason));
            }
        }

        var interest = Of("replies") > 0 ? "replied" : Of("demos") > 0 ? "demo" : Of("pricing_views") > 0 ? "pricing" : null;
        // NaN compares as false: what never happened is asked for by name.
        var unanswered = quiet <= Fresh && !(silent < quiet);
        Add(unanswered && interest is not null, Of("has_phone") > 0 ? "call_now" : "write_now", interest + "_unanswered");
        Add(double.IsNaN(silent), "first_contact", "never_contacted");
        Add(stage == "contacted" && interest is not null, "book_meeting", interest ?? "");
        Add(stage == "meeting_scheduled" && inStage >= 3, "send_proposal", "meeting_stage");
        Add(stage == "proposal_sent" && outlook.Probability >= 0.5, "negotiate", "likely");
        Add(stage is "proposal_sent" or "negotiating" && inStage >= LongInStage, "ask_decision", "long_in_stage");
        Add(intervalDays is not null && silent > intervalDays, "follow_up", "interval_passed");
        Add(silent > 2 * (intervalDays ?? UsualInterval), "re_engage", "silent");
        foreach (var column in Enumerable.Range(0, columns.Count).Where(c => outlook.Contributions[c] <= Weighty).OrderBy(c => outlook.Contributions[c]))
        {
            Add(columns[column] is "days_since_contact" && silent > 1, "re_engage", "weighs_silence");
            Add(columns[column] is "days_since_engagement" or "replies" or "clicks" or "opens", "re_engage", "weighs_engagement");
            Add(columns[column] is "days_in_stage" or "days_in_pipeline" && inStage >= LongInStage, "ask_decision", "weighs_time");
            Add(columns[column] is "completed_tasks" or "email_tasks" or "call_tasks" && Of("pending_tasks") == 0, "plan_step", "weighs_work");
        }

        Add(Of("pending_tasks") == 0, "plan_step", "no_task");
        return found.Count > Most ? found[..Most] : found;
    }

    /// <summary>The action in words; a code of an external model is shown as it is.</summary>
    public static (string English, string Spanish) Text(string code) => code switch
    {
        "call_now" => ("Call now", "Llamar ahora"),
        "write_now" => ("Write now (no phone is known)", "Escribir ahora (no hay teléfono)"),
        "first_contact" => ("Make the first contact", "Hacer el primer contacto"),
        "book_meeting" => ("Book a meeting", "Concertar una reunión"),
        "send_proposal" => ("Send a proposal", "Enviar una propuesta"),
        "negotiate" => ("Start to negotiate", "Empezar a negociar"),
        "ask_decision" => ("Ask for a decision with a date", "Pedir una decisión con fecha"),
        "follow_up" => ("Follow up", "Dar seguimiento"),
        "re_engage" => ("Re-engage with something new", "Retomar el contacto con algo nuevo"),
        "plan_step" => ("Plan the next step", "Planificar el siguiente paso"),
        _ => (code, code),
    };

    /// <summary>The reason in words.</summary>
    public static (string English, string Spanish) ReasonText(string reason) => reason switch
    {
        "replied_unanswered" => ("it replied, and nobody has answered since", "respondió y nadie le ha contestado desde entonces"),
        "demo_unanswered" => ("it asked for a demo, and nobody has answered since", "pidió una demo y nadie le ha contestado desde entonces"),
        "pricing_unanswered" => ("it looked at prices, and nobody has been in contact since", "miró los precios y nadie le ha contactado desde entonces"),
        "never_contacted" => ("nobody has been in contact yet", "nadie le ha contactado todavía"),
        "replied" => ("it has replied", "ha respondido"),
        "demo" => ("it asked for a demo", "pidió una demo"),
        "pricing" => ("it looked at prices", "miró los precios"),
        "meeting_stage" => ("the meeting was arranged three days ago or earlier", "la reunión se concertó hace tres días o más"),
        "likely" => ("it is more likely won than not", "es más probable ganarla que perderla"),
        "long_in_stage" => ("it has been in this stage for two weeks or longer", "lleva dos semanas o más en esta etapa"),
        "interval_passed" => ("the days this lead usually needs between contacts have passed", "ya pasaron los días que este lead suele necesitar entre contactos"),
        "silent" => ("twice the usual days have passed without contact", "pasó el doble de los días habituales sin contacto"),
        "weighs_silence" => ("the time without contact weighs against it", "el tiempo sin contacto pesa en su contra"),
        "weighs_engagement" => ("too little engagement weighs against it", "el poco interés mostrado pesa en su contra"),
        "weighs_time" => ("the time it takes weighs against it", "el tiempo que lleva pesa en su contra"),
        "weighs_work" => ("too little done about it weighs against it, and no task is open", "lo poco trabajado pesa en su contra y no hay tareas abiertas"),
        "no_task" => ("no task is open", "no hay tareas abiertas"),
        "endpoint" => ("the external model says so", "lo dice el modelo externo"),
        _ => (reason, reason),
    };
}
