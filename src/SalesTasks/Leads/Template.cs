using System.Text;

namespace SalesTasks.Leads;

/// <summary>A text with columns in braces, <c>{Prospect ID}@example.com</c>; a brace itself is written twice.</summary>
internal static class Template
{
    /// <summary>The parts in order, each plain text or the name of a column; null where a brace has no partner.</summary>
    public static IReadOnlyList<(string Text, bool IsColumn)>? Parse(string template)
    {
        var parts = new List<(string Text, bool IsColumn)>();
        var text = new StringBuilder();
        for (var at = 0; at < template.Length; at++)
        {
            var character = template[at];
            if (character is '{' or '}' && at + 1 < template.Length && template[at + 1] == character)
            {
                text.Append(character);
                at++;
            }
            else if (character == '{')
            {
                var end = template.IndexOf('}', at);
                if (end < at + 2)
                {
                    return null;
                }

                parts.Add((text.ToString(), false));
                text.Clear();
                parts.Add((template[(at + 1)..end], true));
                at = end;
            }
            else if (character == '}')
            {
                return null;
            }
            else
            {
                text.Append(character);
            }
        }

        parts.Add((text.ToString(), false));
        return [.. parts.Where(part => part.Text.Length > 0)];
    }
}
