using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>A report for programs: the same figures, names in camel case.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static void Write(Report report, string path) =>
        File.WriteAllText(path, JsonSerializer.Serialize(report, Options) + Environment.NewLine);
}
