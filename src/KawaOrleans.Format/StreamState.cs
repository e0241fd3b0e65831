using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>What a stream's last event says of it.</summary>
public enum StreamState
{
    /// <summary>It goes on; or it has no event.</summary>
    Live = 0,

    /// <summary>It was deleted: it reads as a stream without events, and the next append takes it up again, under the revisions that follow.</summary>
    Deleted = 1,

    /// <summary>It has ended for ever: every append is refused.</summary>
    Tombstoned = 2,
}

/// <summary>What the flags of a stream's last event say of the stream.</summary>
internal static class StreamStates
{
    public static StreamState Of(FrameTraits lastEvent) => (lastEvent & FrameTraits.EndsStream) != 0 ? StreamState.Tombstoned
        : (lastEvent & FrameTraits.DeletesStream) != 0 ? StreamState.Deleted
        : StreamState.Live;
}
