using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Inspection;

/// <summary>Writes the footer of a sealed segment anew, from frames that were all verified; never a frame.</summary>
internal static class FooterRewrite
{
    /// <exception cref="ArgumentException">The segment is not sealed, or not every frame of it was found whole.</exception>
    /// <exception cref="DiskFullException">No room; the frames are as good as before.</exception>
    public static void Run(IVolume volume, InspectedSegment verified)
    {
        if (verified is not { FooterOfFrames: { } footer, Header: { } header, Tail: { } end })
        {
            throw new ArgumentException($"{verified.Path}: not a sealed segment whose every frame is whole", nameof(verified));
        }

        using (var sealedFile = volume.Open(verified.Path, writable: true))
        {
            // That it is sealed may be known to the page cache alone.
            DurableRewrite.StatesOnly(sealedFile);
        }

        var host = SegmentHost.ForOneFile(time: null) with { Volume = volume };
        using var file = new SegmentFile(host, verified.Path, header, writable: null);
        file.WriteBehindEnd(end.Offset, footer.Encode(header.Identity.ChecksumKey, end.Offset, end.Position - header.BasePosition));
    }
}
