namespace SalesTasks.Reports.Sections;

internal static class CampaignVariantsSection
{
    public static ReportSection Section { get; } = new(
        "campaign_variants",
        new Phrase("Campaign variants (A/B)", "Variantes de campañas (A/B)"),
        new Column("campaign", new Phrase("Campaign", "Campaña"), ColumnKind.Name),
        new Column("step", new Phrase("Step", "Paso"), ColumnKind.Count),
        new Column("variant", new Phrase("Variant", "Variante"), ColumnKind.Name),
        new Column("sent", new Phrase("Sent", "Enviados"), ColumnKind.Count),
        new Column("replied", new Phrase("Replied", "Respuestas"), ColumnKind.Count),
        new Column("reply_share", new Phrase("Reply share", "Parte que responde"), ColumnKind.Share) { Interval = ("reply_low", "reply_high") },
        Column.Hidden("reply_low"),
        Column.Hidden("reply_high"),
        Column.Hidden("unit"),
        new Column("difference", new Phrase("Against the first", "Frente a la primera"), ColumnKind.Change) { Interval = ("difference_low", "difference_high") },
        Column.Hidden("difference_low"),
        Column.Hidden("difference_high"),
        new Column("credible", new Phrase("Credible", "Creíble"), ColumnKind.YesNo))
    {
        Explanation = new(
            "Steps that are tried in variants, with all their messages up to the end of the period. A difference is credible when its 95 % interval leaves out zero.",
            "Pasos que se prueban en variantes, con todos sus mensajes hasta el final del periodo. Una diferencia es creíble cuando su intervalo del 95 % no incluye el cero."),
        Nothing = new("No step has been sent in more than one variant.", "Ningún paso se ha enviado en más de una variante."),
    };
}
