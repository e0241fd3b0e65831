using System.Security.Cryptography;

namespace KawaOrleans.Format;

/// <summary>Random ids of events, as unpredictable as <see cref="Guid.NewGuid"/> (version 4). That one asks the system for 16 bytes at a time, which
/// costs as much as encoding the event does; here a thread asks for many ids at once.</summary>
internal static class RandomId
{
    private const int IdBytes = 16;
    private const int IdsAtOnce = 64;

    [ThreadStatic]
    private static byte[]? t_bytes;

    // The first of t_bytes that no id was made of; each byte is used once.
    [ThreadStatic]
    private static int t_used;

    public static Guid Next()
    {
        var bytes = t_bytes;
        if (bytes is null || t_used == bytes.Length)
        {
            bytes = t_bytes ??= new byte[IdBytes * IdsAtOnce];
            RandomNumberGenerator.Fill(bytes);
            t_used = 0;
        }

        var id = bytes.AsSpan(t_used, IdBytes);
        t_used += IdBytes;
        id[7] = (byte)((id[7] & 0x0F) | 0x40);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id);
    }
}
