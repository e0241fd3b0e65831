using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;

namespace KawaOrleans.Cli.Repairing;

/// <summary>Whether a copy may take the place of a damaged file: only if nothing that the file is known to have held or said is lost.</summary>
internal static class CopyCheck
{
    /// <summary>Why not, or null.</summary>
    public static string? WhyNot(InspectedSegment damaged, InspectedSegment copy)
    {
        if (copy.Damage is [var place, ..])
        {
            return $"{copy.Path} is itself damaged at offset {place.Offset}: {place.Found}";
        }

        if (copy is not { Header: { } header, States: { } states, Tail: { } tail } || copy.LostPower)
        {
            return $"{copy.Path} lost its last pages when its machine went down";
        }

        if (damaged.Header is { } known && !IsSame(known, header))
        {
            return $"{copy.Path} is segment {header.Identity}, epoch {header.Identity.Epoch}, of log {header.LogId:N}; the damaged file is {known.Identity}, epoch {known.Identity.Epoch}, of log {known.LogId:N}";
        }

        if (damaged.Header is null && Path.GetFileName(damaged.Path) != $"{header.Identity}.seg")
        {
            return $"the damaged file's header is lost, and its name does not say that it is segment {header.Identity}";
        }

        if (damaged.Header is null || damaged.States is null)
        {
            return states.End is null
                ? "whether the damaged file was fenced or sealed is unknown, and the copy is not sealed: it may lack what came after it"
                : Shorter(damaged, tail);
        }

        if (damaged.States.End is { } end)
        {
            return states.End == end ? null : "the damaged file is sealed, and the copy is not sealed at the same place with the same content";
        }

        if (damaged.States.Fenced is { } fenced && (states.Fenced is null && states.End is null || tail.Position != fenced.Tail.Position))
        {
            return $"the damaged file was fenced at position {fenced.Tail.Position}, and the copy was not";
        }

        return states.State < damaged.States.State ? $"the damaged file is {damaged.States.State}, the copy only {states.State}" : Shorter(damaged, tail);
    }

    private static string? Shorter(InspectedSegment damaged, Tail tail) => tail.Offset >= damaged.LastWholeEnd
        ? null
        : $"the copy ends at offset {tail.Offset}, and the damaged file holds whole frames up to {damaged.LastWholeEnd}: it is older";

    private static bool IsSame(SegmentHeader a, SegmentHeader b) => a.Ensemble.SequenceEqual(b.Ensemble) && a with { Ensemble = b.Ensemble } == b;
}
