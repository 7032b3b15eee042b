namespace SalesTasks.Reports.Sections;

internal static class IndicatorsSection
{
    public static ReportSection Section { get; } = new(
        "indicators",
        new Phrase("The five indicators", "Los cinco indicadores"),
        new Column("indicator", new Phrase("Indicator", "Indicador"), ColumnKind.Word),
        Column.Hidden("unit"),
        new Column("value", new Phrase("This period", "Este periodo"), ColumnKind.Measure) { Interval = ("low", "high") },
        Column.Hidden("low"),
        Column.Hidden("high"),
        new Column("sample", new Phrase("Sample", "Muestra"), ColumnKind.Count),
        new Column("previous", new Phrase("Period before", "Periodo anterior"), ColumnKind.Measure) { Interval = ("previous_low", "previous_high") },
        Column.Hidden("previous_low"),
        Column.Hidden("previous_high"),
        new Column("previous_sample", new Phrase("Sample before", "Muestra anterior"), ColumnKind.Count),
        new Column("change", new Phrase("Change", "Cambio"), ColumnKind.Change) { Interval = ("change_low", "change_high") },
        Column.Hidden("change_low"),
        Column.Hidden("change_high"),
        new Column("credible", new Phrase("Credible", "Creíble"), ColumnKind.YesNo))
    {
        Explanation = new(
            "Pipeline value: value times probability of the deals open at the end of the period. Conversion rate: of the deals open at any time in the "
            + "period, the share won in it. Win rate: of the deals closed in it, the share won. Time to close: median days from qualification of the deals won. "
            + "Tasks on time: of the tasks due, the share completed by then. In parentheses the 95 % interval; a change is credible when its interval leaves out zero.",
            "Valor de la cartera: valor por probabilidad de las oportunidades abiertas al final del periodo. Tasa de conversión: de las oportunidades abiertas en algún "
            + "momento del periodo, la parte ganada en él. Tasa de éxito: de las cerradas en él, la parte ganada. Tiempo hasta el cierre: mediana de días desde la "
            + "calificación de las ganadas. Tareas a tiempo: de las que vencían, la parte completada hasta entonces. Entre paréntesis el intervalo del 95 %; un cambio "
            + "es creíble cuando su intervalo no incluye el cero."),
    };
}
