"""neighbour.py ADDRESS: whom this machine believes to have an address, twenty times a second: TIME MAC, or TIME - for nobody."""
import sys
import time

while True:
    mac = '-'
    with open('/proc/net/arp') as table:
        for line in table:
            address, _type, _flags, found, *_rest = line.split()
            if address == sys.argv[1]:
                mac = found
    print('%.3f %s' % (time.time(), mac), flush=True)
    time.sleep(0.05)
