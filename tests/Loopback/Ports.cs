using System.Net;
using System.Net.Sockets;

namespace KawaOrleans.Loopback;

/// <summary>Ports below the range that the system gives to outgoing connections: they stay free while a killed
/// server is down. The ports that a silo takes by default are not among them.</summary>
internal static class Ports
{
    private const int First = 12_000;
    private const int Count = 17_000;

    // Programs that run side by side begin at different places.
    private static int s_next = Environment.ProcessId * 37 % Count;

    public static int Take()
    {
        for (var tried = 0; tried < Count; tried++)
        {
            var port = First + (Interlocked.Increment(ref s_next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }

        throw new InvalidOperationException($"No port from {First} to {First + Count} is free.");
    }

    public static bool IsOpen(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
