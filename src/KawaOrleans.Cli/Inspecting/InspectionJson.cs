using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;

namespace KawaOrleans.Cli.Inspecting;

/// <summary>What was found, for programs.</summary>
internal static class InspectionJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Stream output, InspectedDirectory? directory, IReadOnlyList<InspectedSegment> segments, IReadOnlyList<UntrustedFile> untrusted)
    {
        JsonSerializer.Serialize(
            output,
            new
            {
                Node = directory?.Identity,
                Chains = directory?.Chains.Select(static c => new { c.LogId, c.LogName, c.Version }),
                Segments = segments.Select(static s => new
                {
                    s.Path,
                    Id = s.Header!.Identity.Id,
                    s.Header.Identity.Generation,
                    s.Header.Identity.Epoch,
                    s.Header.LogId,
                    s.Header.LogName,
                    State = s.States?.State.ToString(),
                    Base = s.Header.BasePosition,
                    End = s.Tail?.Position,
                    s.Events,
                    UsedBytes = s.Tail?.Offset,
                    s.FileBytes,
                    Opened = s.States?.Opened is { } opened ? new { opened.OpeningId, Time = Time(opened.Ticks), Durability = opened.Durability.ToString() } : null,
                    Fenced = s.States?.Fenced is { } fenced ? new { fenced.Tail.Position, fenced.SavedChainVersion } : null,
                    Sealed = s.States?.End is { } end ? new { end.End.Position, ContentHash = end.ContentHash.ToString("x16", CultureInfo.InvariantCulture) } : null,
                    Footer = s.Footer.ToString(),
                    s.TornBytes,
                    s.LostPower,
                }),
                Untrusted = untrusted.Select(static u => new { u.Path, u.SegmentId, u.LogId, u.Problem, u.IsUnreadable }),
            },
            Options);
        output.Write("\n"u8);
    }

    private static DateTime? Time(long ticks) => ticks < 0 || ticks > DateTime.MaxValue.Ticks ? null : new DateTime(ticks, DateTimeKind.Utc);
}
